//! Were these the same data? A short number that says so.

use crate::train::data::{Dataset, Pixels, Sample, Target, TargetKind};

/// Samples that are looked at, spread evenly.
const LOOKED_AT: usize = 256;

/// `1,442 × 1×8×8, 10 classes, 5f3c…`: how many, of what size, and FNV-1a (64 bits) over up to 256 of them.
pub fn fingerprint(data: &dyn Dataset) -> String {
    let sizes: Vec<String> = data.input_shape().iter().map(usize::to_string).collect();
    let target = match data.target() {
        TargetKind::Class { count, .. } => format!("{count} classes"),
        TargetKind::Mask { classes } => format!("masks of {classes} classes"),
        TargetKind::Tensor(_) => "numbers".to_string(),
    };
    let (mut hash, mut sample) = (0xcbf2_9ce4_8422_2325u64, Sample::default());
    let mut add = |bytes: &[u8]| {
        hash = bytes.iter().fold(hash, |hash, &byte| (hash ^ byte as u64).wrapping_mul(0x0100_0000_01b3));
    };
    let count = data.len().min(LOOKED_AT);
    for i in 0..count {
        // A broken sample counts as nothing: it is passed over in training, too.
        if data.get(i * data.len() / count, &mut sample).is_ok() {
            match &sample.pixels {
                Pixels::Bytes(bytes) => add(bytes),
                Pixels::Floats(values) => values.iter().for_each(|value| add(&value.to_le_bytes())),
            }
            match &sample.target {
                Target::Class(class) => add(&class.to_le_bytes()),
                Target::Mask(classes) => classes.iter().for_each(|class| add(&class.to_le_bytes())),
                Target::Tensor(values) => values.iter().for_each(|value| add(&value.to_le_bytes())),
            }
        }
    }
    let samples = crate::tools::text::grouped(data.len() as u64);
    format!("{samples} samples of {}, {target}, {hash:016x}", sizes.join("×"))
}
