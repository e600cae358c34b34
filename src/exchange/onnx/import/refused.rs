//! Nodes that are not read, and why.

use super::item::BATCH;

/// Why a node is not read, said of it: "has the attribute …".
#[derive(Clone, Debug)]
pub struct Refused {
    /// The fact, which follows the node's name.
    pub why: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl Refused {
    /// With what to do instead.
    pub fn help(mut self, text: &str) -> Self {
        self.help = Some(text.into());
        self
    }
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self { why, help: None }
    }
}

impl From<&str> for Refused {
    fn from(why: &str) -> Self {
        Self { why: why.into(), help: None }
    }
}

/// Sizes as messages show them: those that were computed from the number that stands for the batch are said with `N`.
pub fn with_batch(dims: impl IntoIterator<Item = i64>) -> String {
    let said = |size: i64| match [BATCH as i64, BATCH as i64 + 1].into_iter().find(|n| size > 0 && size % n == 0) {
        Some(number) if size == number => "N".to_string(),
        Some(number) => format!("{}·N", size / number),
        None => size.to_string(),
    };
    format!("[{}]", dims.into_iter().map(said).collect::<Vec<_>>().join(", "))
}

/// Sizes of a tensor, as [`with_batch`].
pub fn sizes_of(dims: &[usize]) -> String {
    with_batch(dims.iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)))
}

/// A list as messages show it: `[2, 3]`, or `none` where it is left out.
pub fn listed<T: std::fmt::Display>(list: Option<&[T]>) -> String {
    let all = |list: &[T]| format!("[{}]", list.iter().map(T::to_string).collect::<Vec<_>>().join(", "));
    list.map_or_else(|| "none".into(), all)
}

/// Amounts at the two ends of axes as messages show them: `[1, 1] before and [1, 2] behind`.
pub fn at_ends<T: std::fmt::Display>(amounts: &[(T, T)]) -> String {
    let side = |texts: Vec<String>| format!("[{}]", texts.join(", "));
    let before = side(amounts.iter().map(|(before, _)| before.to_string()).collect());
    let behind = side(amounts.iter().map(|(_, behind)| behind.to_string()).collect());
    format!("{before} before and {behind} behind")
}

/// What the language lacks for well-known operators, and where another way is known, that.
const LACKS: [(&str, &str, &str); 42] = [
    (
        "LogSoftmax",
        "log-softmax",
        "end the exported model at the logits, which `LogSoftmax` reads; `cross_entropy` takes those",
    ),
    ("Mish", "mish", ""),
    ("Softplus", "softplus", ""),
    ("Softsign", "softsign", ""),
    ("LRN", "local response normalisation", ""),
    ("LpNormalization", "normalisation by a norm", ""),
    ("RMSNormalization", "normalisation without a mean", ""),
    ("MeanVarianceNormalization", "normalisation over the batch", ""),
    ("DepthToSpace", "pixel shuffle", "upsample by `ConvTranspose` or `Resize` in the model that is exported"),
    ("SpaceToDepth", "moves of positions into channels", ""),
    ("Split", "layer that splits channels", ""),
    ("LpPool", "pool by a norm", ""),
    ("GlobalLpPool", "pool by a norm", ""),
    ("MaxUnpool", "unpooling", "upsample by `ConvTranspose` or `Resize` in the model that is exported"),
    ("MaxRoiPool", "pooling of regions", ""),
    ("RoiAlign", "pooling of regions", ""),
    ("GridSample", "sampling on a grid", ""),
    ("LSTM", "recurrent layers", ""),
    ("GRU", "recurrent layers", ""),
    ("RNN", "recurrent layers", ""),
    ("Attention", "attention", ""),
    ("Einsum", "sums over named axes", ""),
    ("Where", "choice between two values", ""),
    ("Expand", "stretching of a value", ""),
    ("Tile", "repetition of a value", ""),
    ("Gather", "choice of entries along an axis", ""),
    ("GatherND", "choice of entries", ""),
    ("ScatterND", "writing into a value", ""),
    ("ArgMax", "position of a maximum", "end the exported model at the scores, which `ArgMax` reads"),
    ("TopK", "sorting", "end the exported model at the scores, which `TopK` reads"),
    ("NonMaxSuppression", "suppression of boxes", "end the exported model before its post-processing"),
    ("Max", "merge by maximum", ""),
    ("Min", "merge by minimum", ""),
    ("ReduceSum", "sum along an axis", ""),
    ("ReduceMin", "minimum along an axis", ""),
    ("ReduceProd", "product along an axis", ""),
    ("ReduceL2", "norm along an axis", ""),
    ("If", "branches", "onnxsim model.onnx model.onnx"),
    ("Loop", "loops that run", ""),
    ("Scan", "loops that run", ""),
    ("QuantizeLinear", "whole-number values", "export the model before it is quantised"),
    ("DequantizeLinear", "whole-number values", "export the model before it is quantised"),
];

/// Why an operator is not read whatever its attributes are.
pub fn lacking(op: &str) -> Refused {
    match LACKS.iter().find(|(name, ..)| *name == op) {
        Some((_, what, "")) => format!("is an operator that no layer stands for: the language has no {what}").into(),
        Some((_, what, help)) => {
            let why = format!("is an operator that no layer stands for: the language has no {what}");
            Refused::from(why).help(help)
        }
        None => "is an operator that no layer stands for".into(),
    }
}
