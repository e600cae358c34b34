//! Data sets and inputs in files.

use super::picture::{self, picture};
use super::{Place, Seed, Verdict, case, refused};
use archc::train::data::photo::Photo;
use archc::train::data::pictures::is_image;
use archc::train::data::resize::Region;
use archc::train::data::tensor_io::{Reading, read_input};
use archc::train::data::{DataError, DataSpec, Loader, LoaderOptions, open as open_data};
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Component, Path, PathBuf};

/// Bytes that one file may take up.
pub const MEMORY: u64 = 64 << 20;

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn npy(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn npz(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        let started = archive.start_file(*name, zip::write::SimpleFileOptions::default());
        let _ = started.map(|()| archive.write_all(bytes));
    }
    archive.finish().map(Cursor::into_inner).unwrap_or_default()
}

fn tensors(parts: &[(&str, &[usize], &[u8])]) -> Vec<u8> {
    let view = |dims: &[usize], data| TensorView::new(Dtype::U8, dims.to_vec(), data).ok();
    let views = parts.iter().filter_map(|(name, dims, data)| Some((*name, view(dims, data)?)));
    serialize(views.collect::<Vec<_>>(), None).unwrap_or_default()
}

/// Files of a data set, by their paths: the first part is the data set.
fn sets() -> Vec<(String, Vec<u8>)> {
    let images = [&[0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0, 4][..], &[7; 96]].concat();
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 6, 0, 1, 2, 0, 1, 2];
    let arrays =
        npz(&[("x.npy", npy("|u1", "(6, 1, 4, 4)", &[5; 96])), ("y.npy", npy("|u1", "(6,)", &[0, 1, 2, 0, 1, 2]))]);
    let masks = npz(&[("x.npy", npy("|u1", "(2, 1, 4, 4)", &[5; 32])), ("y.npy", npy("|u1", "(2, 4, 4)", &[1; 32]))]);
    let held = tensors(&[("x", &[6, 1, 4, 4], &[5; 96]), ("y", &[6], &[0, 1, 2, 0, 1, 2])]);
    let mut files = vec![
        ("idx/train-images-idx3-ubyte.gz".to_string(), zipped(&images)),
        ("idx/train-labels-idx1-ubyte".into(), labels),
        ("cifar/data_batch_1.bin".into(), vec![3; 3073 * 2]),
        ("file/a.npz".into(), arrays),
        ("file/b.safetensors".into(), held),
        ("file/c.npz".into(), masks),
    ];
    for (i, ending) in ["png", "jpg", "png", "webp", "bmp", "gif", "tiff"].into_iter().enumerate() {
        for class in ["cat", "dog"] {
            files.push((format!("classes/{class}/{i}.{ending}"), picture(ending, true)));
        }
    }
    files.push(("classes/cat/tagged.png".into(), picture::tagged()));
    files.push(("classes/dog/turned.jpg".into(), picture::turned()));
    // Masks of one kind each: of several, the first would keep the others from being read.
    let grey = picture("png", false);
    let kinds =
        [("masks", grey), ("palettes", picture::palette()), ("deep", picture::deep()), ("white", picture::white())];
    for (set, mask) in kinds {
        for i in 0..3 {
            files.push((format!("{set}/images/{i}.png"), picture("png", i > 0)));
            files.push((format!("{set}/masks/{i}.png"), mask.clone()));
        }
    }
    files.push(("palettes/images/3.jpg".into(), picture::turned()));
    files.push(("palettes/masks/3.png".into(), picture::palette()));
    files.retain(|(_, bytes)| !bytes.is_empty());
    files
}

/// Writes a file, and the folders around it.
pub fn write(path: &Path, bytes: &[u8]) -> Verdict {
    let folder = path.parent().ok_or("a file without a folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// The files of all data sets, which are written, and layouts of folders.
pub fn seeds(place: &Place) -> Vec<Seed> {
    let files = sets();
    for (name, bytes) in &files {
        // A folder that cannot be written shows as data that cannot be opened.
        let _ = write(&place.folder.join(name), bytes);
    }
    let mut seeds: Vec<Seed> = files.into_iter().map(|(name, bytes)| Seed::new(name, bytes)).collect();
    let layouts = [
        "cat/1.png\ncat/2.jpg\ndog/1.png",
        "train/cat/1.png\ntrain/dog/1.png\nval/cat/2.png\ntest/dog/3.png",
        "images/1.png\nimages/2.png\nmasks/1.png\nmasks/2.png",
        "Training/a/1.png\nTraining/b/1.png\nTesting/a/1.png\n.hidden/1.png\nnotes.txt",
        "data/images/train/1.png\ndata/masks/train/1.png",
    ];
    seeds.extend(layouts.map(|text| Seed::new("layout.names", text)));
    seeds
}

/// Opens the data set that the changed file belongs to, and reads an epoch.
pub fn open(place: &Place, seed: &Seed, bytes: &[u8]) -> Verdict {
    if seed.name.ends_with(".names") {
        return layout(place, bytes);
    }
    let path = place.folder.join(&seed.name);
    write(&path, bytes)?;
    let whole = seed.name.starts_with("file/");
    let set = place.folder.join(seed.name.split('/').next().unwrap_or_default());
    let spec = if whole { path.clone() } else { set };
    let verdict = shapes(&seed.name).iter().try_for_each(|shape| read(&spec, shape));
    write(&path, &seed.bytes)?;
    match shapes(&seed.name).first() {
        Some(shape) if bytes == seed.bytes => verdict.and(sound(&spec, shape)),
        _ => verdict,
    }
}

/// A file that nothing was changed in is read: what is made of one that is not shows nothing.
fn sound(spec: &Path, shape: &[usize]) -> Verdict {
    epochs(spec, shape).map_err(|error| format!("the sound data are refused: {error}"))
}

fn shapes(name: &str) -> &'static [&'static [usize]] {
    match name.split('/').next() {
        Some("cifar") => &[&[3, 32, 32]],
        Some("classes") => &[&[3, 5, 5]],
        Some("masks" | "palettes" | "deep" | "white") => &[&[1, 7, 9]],
        _ => &[&[1, 4, 4], &[16]],
    }
}

fn read(spec: &Path, shape: &[usize]) -> Verdict {
    judged(epochs(spec, shape))?;
    case::read(&spec.to_string_lossy(), shape)
}

/// An epoch of every part, as a caller reads data who knows nothing of them.
fn epochs(spec: &Path, shape: &[usize]) -> Result<(), DataError> {
    let want = DataSpec { memory: MEMORY, ..DataSpec::new(shape) };
    let all = |loader: &Loader| loader.epoch(0).take(50).try_for_each(|batch| batch.map(drop));
    let split = open_data(&spec.to_string_lossy(), &want)?;
    case::parts(split).try_for_each(|part| all(&Loader::new(part, LoaderOptions::training(4, 1))?))
}

/// Data are refused by codes of their own.
pub fn judged(result: Result<(), DataError>) -> Verdict {
    let Err(error) = result else { return Ok(()) };
    let fault = error.fault();
    refused(&fault)?;
    if fault.code.0.starts_with("E08") { Ok(()) } else { Err(format!("{} is no code of data: {error}", fault.code)) }
}

/// A folder with files of these names.
fn layout(place: &Place, names: &[u8]) -> Verdict {
    let folder = place.folder.join("layout");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let names = String::from_utf8_lossy(names);
    for name in names.lines().take(24) {
        let inside = |part: Component| matches!(part, Component::Normal(_));
        if Path::new(name).components().all(inside) {
            let ending = Path::new(name).extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
            // Names that no file can have are passed over.
            let _ = write(&folder.join(name), &picture(&ending, !name.contains("mask")));
        }
    }
    read(&folder, &[3, 7, 9])
}

/// Files that `run --input` takes.
pub fn inputs(_: &Place) -> Vec<Seed> {
    let mut seeds: Vec<Seed> = ["png", "jpg", "webp", "bmp", "gif", "tiff"]
        .map(|ending| Seed::new(format!("x.{ending}"), picture(ending, true)))
        .into();
    let numbers: Vec<u8> = (0..48).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let kinds = [
        ("palette.png", picture::palette()),
        ("deep.png", picture::deep()),
        ("tagged.png", picture::tagged()),
        ("turned.jpg", picture::turned()),
    ];
    seeds.extend(kinds.map(|(name, bytes)| Seed::new(name, bytes)));
    seeds.push(Seed::new("x.npy", npy("<f4", "(1, 3, 4, 4)", &numbers)));
    seeds.push(Seed::new("y.npy", npy("|u1", "(3, 4, 4)", &[9; 48])));
    seeds.push(Seed::new("x.npz", npz(&[("x.npy", npy("<f4", "(3, 4, 4)", &numbers))])));
    seeds.push(Seed::new("x.safetensors", tensors(&[("x", &[3, 4, 4], &[9; 48])])));
    seeds.retain(|seed| !seed.bytes.is_empty());
    seeds
}

/// Reads an input.
pub fn input(place: &Place, seed: &Seed, bytes: &[u8]) -> Verdict {
    let path: PathBuf = place.folder.join(&seed.name);
    write(&path, bytes)?;
    if is_image(&seed.name) {
        let read = Photo::read(&path, 3).map(|photo| photo.values(Region::cover(photo.size, [4, 4]), [4, 4], None));
        return judged(read.map(drop));
    }
    let shape = [3, 4, 4];
    let reading = Reading { name: "x", shape: &shape, normalize: None, memory: MEMORY };
    judged(read_input(&path, &reading).map(drop))
}

/// Pictures of two classes, and an input, for whole commands.
pub fn pictures() -> Vec<(String, Vec<u8>)> {
    let numbers: Vec<u8> = (0..64).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let mut files =
        vec![("x.npy".to_string(), npy("<f4", "(1, 8, 8)", &numbers)), ("p.png".into(), picture("png", true))];
    for class in ["cat", "dog"] {
        files.extend((0..3).map(|i| (format!("photos/{class}/{i}.png"), picture("png", true))));
    }
    files
}
