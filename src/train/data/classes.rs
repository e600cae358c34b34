//! A folder of images for each class.

use super::dataset::{Dataset, Sample, Target, TargetKind};
use super::error::{DataError, Result};
use super::folder::{drop_broken, split_of};
use super::held::Holding;
use super::listing::{at, join, list, walk};
use super::lookalike;
use super::parts::{annotated, check_annotations, look_through};
use super::pictures::{decode, look};
use super::remarks::{Remarks, lying};
use super::source::{DataSpec, check_pictures};
use super::split::Split;
use super::table;
use crate::base::command::quoted_path;
use crate::base::nearest::nearest;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One image: its class, and its path below the directory.
type Entry = (u32, Box<str>);

/// Images with a class each, decoded when asked for.
struct Folder {
    directory: PathBuf,
    entries: Vec<Entry>,
    shape: Vec<usize>,
    kind: TargetKind,
}

/// A class's images in one part, as paths below the directory; `base` is the folder that they lie in.
struct Class {
    name: String,
    base: String,
    images: Vec<Box<str>>,
}

/// The images of each part, by class.
#[derive(Default)]
struct Divided {
    train: Vec<Entry>,
    val: Option<Vec<Entry>>,
    test: Option<Vec<Entry>>,
}

/// Opens `train/CLASS/…` with `val/CLASS/…` and `test/CLASS/…`, or `CLASS/…` of which a part is held out. Classes are the
/// folders' names, sorted. Images are resized to the model's input.
pub fn open(directory: &Path, want: &DataSpec, mut remarks: Remarks) -> Result<Split> {
    check_pictures(directory, &want.shape)?;
    check_annotations(directory)?;
    let parts = super::parted::parts(directory, &mut remarks)?;
    let given = !parts.is_empty();
    let parts = if given { parts.with_train(directory, want.holding == Holding::Nothing)? } else { parts };
    let classes = class_folders(directory, parts.train.as_deref().unwrap_or_default(), &mut remarks)?;
    let names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
    check_classes(directory, &classes, want, &mut remarks)?;
    let mut divided = Divided::default();
    let alone = parts.val.is_none() && parts.test.is_none();
    // Runs that do not say how learnt from all of a lonely `train/`.
    if alone && !(given && want.holding == Holding::Drawn) {
        divided = hold_out(directory, classes, want, &mut remarks);
    } else {
        divided.train = numbered(classes);
        let mut other = |part: &Option<String>| -> Result<Option<Vec<Entry>>> {
            part.as_deref().map(|part| other_part(directory, part, &names, &mut remarks)).transpose()
        };
        (divided.val, divided.test) = (other(&parts.val)?, other(&parts.test)?);
    }
    let kind = TargetKind::Class { count: names.len(), names };
    let mut checked = |entries: Vec<Entry>| -> Result<Arc<dyn Dataset>> {
        let check = |(_, path): &Entry| Ok(look(&directory.join(path.as_ref()))?.frames.then(|| path.to_string()));
        let entries = drop_broken(entries, want.strict, &mut remarks, check)?;
        let (directory, shape, kind) = (directory.to_path_buf(), want.shape.clone(), kind.clone());
        Ok(Arc::new(Folder { directory, entries, shape, kind }))
    };
    let train = checked(divided.train)?;
    let val = divided.val.map(&mut checked).transpose()?;
    let test = divided.test.map(&mut checked).transpose()?;
    split_of(directory, (train, val, test), &parts, remarks)
}

/// Divides each class by the names of its images below its folder.
fn hold_out(directory: &Path, classes: Vec<Class>, want: &DataSpec, remarks: &mut Remarks) -> Divided {
    let holding = want.holding;
    let (mut train, mut held) = (Vec::new(), Vec::new());
    let (mut unlearnt, mut unmeasured) = (Vec::new(), Vec::new());
    for (number, class) in classes.into_iter().enumerate() {
        let base = class.base.len() + 1;
        let (learnt, kept) = holding.divide(class.images, &class.name, |path| path.get(base..).unwrap_or(path));
        if holding != Holding::Nothing && learnt.is_empty() {
            unlearnt.push(format!("`{}`", class.name));
        } else if holding != Holding::Nothing && kept.is_empty() {
            unmeasured.push(format!("`{}`", class.name));
        }
        train.extend(learnt.into_iter().map(|path| (number as u32, path)));
        held.extend(kept.into_iter().map(|path| (number as u32, path)));
    }
    let learning = want.growing || want.known.is_empty();
    if !held.is_empty() && !unmeasured.is_empty() {
        let fact = format!("no image of {} was held out, so that it is not measured", unmeasured.join(", "));
        remarks.advised.push((fact, own_parts(directory)));
    } else if learning && !unmeasured.is_empty() {
        let fact = format!("no image of {} was held out: what is learnt from is measured", unmeasured.join(", "));
        remarks.advised.push((fact, own_parts(directory)));
    }
    if !unlearnt.is_empty() {
        let fact = format!("every image of {} was held out, so that it is not learnt", unlearnt.join(", "));
        remarks.advised.push((fact, own_parts(directory)));
    }
    Divided { train, val: None, test: (!held.is_empty()).then_some(held) }
}

/// What to do where chance held out none of a class, or all of it.
fn own_parts(directory: &Path) -> String {
    let path = directory.display();
    format!("add images of it, or make the parts yourself:  {path}/train/cat/1.jpg  {path}/val/cat/2.jpg")
}

/// Images with the numbers of their classes, in the classes' order.
fn numbered(classes: Vec<Class>) -> Vec<Entry> {
    let one = |(number, class): (usize, Class)| class.images.into_iter().map(move |path| (number as u32, path));
    classes.into_iter().enumerate().flat_map(one).collect()
}

/// A part to measure on; its classes must be among those to learn.
fn other_part(directory: &Path, part: &str, names: &[String], remarks: &mut Remarks) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let classes = class_folders(directory, part, remarks)?;
    for class in &classes {
        let Some(number) = names.iter().position(|name| *name == class.name) else {
            let found = format!("`{}` is a class that is not learnt from", class.base);
            let alike = names.iter().find(|name| name.to_lowercase() == class.name.to_lowercase());
            let near = alike.map(String::as_str).or_else(|| nearest(&class.name, names.iter().map(String::as_str)));
            let help = match near {
                Some(near) => {
                    let from = directory.join(&class.base);
                    let to = from.with_file_name(near);
                    format!("is it `{near}`? Rename it:  mv {} {}", quoted_path(&from), quoted_path(&to))
                }
                None => format!("the classes are {}; a class has the same name in every part", names.join(", ")),
            };
            return Err(DataError::Meant { path: directory.display().to_string(), found, help });
        };
        entries.extend(class.images.iter().map(|path| (number as u32, path.clone())));
    }
    let missing: Vec<String> =
        names.iter().filter(|name| classes.iter().all(|c| c.name != **name)).map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        remarks.doubts.push(format!("`{part}` has no image of {}", missing.join(", ")));
    }
    entries.sort();
    Ok(entries)
}

/// The folders that hold images, below a part's folder or directly, as classes.
fn class_folders(directory: &Path, part: &str, remarks: &mut Remarks) -> Result<Vec<Class>> {
    let done = |_: &Path, listing: &super::listing::Listing| annotated(&listing.folders).is_some();
    let top = if part.is_empty() { String::new() } else { look_through(directory, part, remarks, &done)? };
    let root = at(directory, &top);
    check_annotations(&root)?;
    let listing = list(&root)?;
    for name in &listing.foreign {
        let fact = format!("the folder `{}` has a name that is no UTF-8, and is not read", join(&top, name));
        remarks.advised.push((fact, "rename it, in letters that every system reads".into()));
    }
    let mut classes = Vec::new();
    for name in &listing.folders {
        let (base, mut images) = (join(&top, name), Vec::new());
        walk(directory, &base, |folder, listing| {
            images.extend(listing.pictures.iter().map(|name| join(folder, name).into_boxed_str()));
            listing.others.iter().for_each(|name| remarks.pass_over(join(folder, name)));
            true
        })?;
        images.sort();
        match images.is_empty() {
            true => remarks.doubts.push(format!("the folder `{base}` holds no image, and is no class")),
            false => classes.push(Class { name: name.clone(), base, images }),
        }
    }
    let loose = listing.pictures.len();
    if loose > 0 && !classes.is_empty() {
        let first = join(&top, &listing.pictures[0]);
        remarks.unread(loose, "beside the folders of classes and in none", Some(&first));
    }
    if classes.is_empty() { Err(no_classes(&root, &listing, remarks)) } else { Ok(classes) }
}

/// What to say of a directory without a folder of images.
fn no_classes(root: &Path, listing: &super::listing::Listing, remarks: &mut Remarks) -> DataError {
    let path = root.display().to_string();
    if let Some(error) = lookalike::mixed(root, listing) {
        return error;
    }
    if let Some(table) = table::beside(root, root, &listing.pictures) {
        let found = format!("{} in it beside `{}`, which is not read", lying(listing.pictures.len()), table.name);
        return DataError::Meant { path, found, help: table.sorting() };
    }
    let mut names = listing.folders.iter().chain(&listing.others);
    let found = match (listing.pictures.len(), names.next()) {
        (0, None) => "it is empty".to_string(),
        (0, Some(first)) => {
            let passed = remarks.passed_over().map(|passed| format!("; {passed}")).unwrap_or_default();
            format!("it holds `{first}`{}{passed}", if names.next().is_some() { " and more" } else { "" })
        }
        (n, _) => format!("{} in it, in no folders of their classes", lying(n)),
    };
    DataError::Layout { path, found, near: None }
}

/// That there is one class alone, and what it may be instead: images with their masks, or with a table of their classes.
fn one_class(directory: &Path, only: &Class) -> DataError {
    let folder = directory.join(&only.base);
    let listing = list(&folder).unwrap_or_default();
    if let Some(error) = lookalike::mixed(&folder, &listing) {
        return error;
    }
    let path = directory.display().to_string();
    let beside = folder.parent().unwrap_or(directory);
    if let Some(table) = table::beside(beside, &folder, &listing.pictures) {
        let found = format!("all of its images lie in one folder, `{}`, and `{}` is not read", only.name, table.name);
        return DataError::Meant { path, found, help: table.sorting() };
    }
    let found =
        format!("all of its images lie in one folder, `{}`, and one class cannot be told from others", only.name);
    let help = format!("put the images of each class into a folder of its own:  {path}/cat/1.jpg  {path}/dog/1.jpg");
    DataError::Meant { path, found, help }
}

/// Refuses one class alone, unless a run knows more; doubts two that differ in case.
fn check_classes(directory: &Path, classes: &[Class], want: &DataSpec, remarks: &mut Remarks) -> Result<()> {
    if let ([only], true) = (classes, want.known.is_empty()) {
        return Err(one_class(directory, only));
    }
    if let ([a, b], true) = (classes, want.known.is_empty()) {
        let files = |class: &Class| -> Vec<String> {
            class.images.iter().filter_map(|path| Some(path.get(class.base.len() + 1..)?.to_string())).collect()
        };
        let (of_a, of_b) = (files(a), files(b));
        let [of_a, of_b] = [&of_a, &of_b].map(|files| files.iter().map(String::as_str).collect::<Vec<_>>());
        let root = directory.join(&a.base);
        let root = root.parent().unwrap_or(directory);
        lookalike::twins(root, [(&a.name, &of_a), (&b.name, &of_b)])?;
    }
    let names = classes.iter().map(|class| class.name.as_str());
    let mut cases: BTreeMap<String, &str> = BTreeMap::new();
    for name in names {
        if let Some(other) = cases.insert(name.to_lowercase(), name) {
            remarks.doubts.push(format!("`{other}` and `{name}` are two classes, and differ in case alone"));
        }
    }
    Ok(())
}

impl Dataset for Folder {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn target(&self) -> &TargetKind {
        &self.kind
    }

    fn get(&self, index: usize, out: &mut Sample) -> Result<()> {
        let (class, path) = &self.entries[index];
        let [h, w] = decode(&self.directory.join(path.as_ref()), self.shape[0], out.pixels.bytes())?.size;
        out.dims = [self.shape[0], h, w];
        out.target = Target::Class(*class as i64);
        Ok(())
    }
}
