//! Folders as people have them: parts by many names, folders around them, files among them that are no pictures, and layouts
//! that are none.

use super::data::{class, refusal, sample, text, write};
use super::data_images::{save_grey, save_rgb};
use archc::train::data::{DataError, DataSpec, Holding, Split, TargetKind, open};
use std::path::Path;

/// A small picture in each of these places.
fn pictures(directory: &Path, names: &[&str]) {
    names.iter().for_each(|name| save_rgb(directory, name, [4, 4], [9; 3]));
}

fn opened(directory: &Path) -> Split {
    open(text(directory), &DataSpec::new(&[3, 4, 4])).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(directory: &Path) -> (String, String) {
    let error = open(text(directory), &DataSpec::new(&[3, 4, 4])).err().expect("it opened");
    assert!(matches!(error, DataError::Meant { .. } | DataError::Layout { .. }), "{error}");
    (error.to_string(), error.fault().help.clone().map(String::from).unwrap_or_default())
}

fn names(split: &Split) -> Vec<String> {
    match split.train.target() {
        TargetKind::Class { names, .. } => names.clone(),
        other => panic!("{other:?}"),
    }
}

/// Codes and messages of the warnings, a line each.
fn warned(split: &Split) -> String {
    let line = |w: &archc::base::Fault| format!("{} {} {}\n", w.code.0, w.message, w.notes.join(" "));
    split.warnings.iter().map(line).collect()
}

#[test]
fn parts_have_many_names_and_three_roles() {
    for [train, val, test] in
        [["train", "val", "test"], ["Training", "Validation", "Testing"], ["TRAIN", "valid", "Test"]]
    {
        let dir = tempfile::tempdir().unwrap();
        for class in ["a", "b"] {
            for (part, count) in [(train, 3), (val, 2), (test, 1)] {
                (0..count).for_each(|i| pictures(dir.path(), &[&format!("{part}/{class}/{i}.png")]));
            }
        }
        let split = opened(dir.path());
        assert_eq!((split.train.len(), split.choosing().len(), split.evaluation().len()), (6, 4, 2), "{train}");
        assert_eq!(split.once().map(|part| part.len()), Some(2));
        assert_eq!((split.choosing_name(), split.evaluation_name()), (&*format!("`{val}/`"), &*format!("`{test}/`")));
        assert_eq!((names(&split).len(), warned(&split)), (2, String::new()));
    }
    // With one part besides, it serves for both.
    for part in ["validation", "test"] {
        let dir = tempfile::tempdir().unwrap();
        pictures(
            dir.path(),
            &["train/a/0.png", "train/b/0.png", &format!("{part}/a/1.png"), &format!("{part}/b/1.png")],
        );
        let split = opened(dir.path());
        assert_eq!((split.choosing().len(), split.evaluation().len(), split.once().is_some()), (2, 2, false));
        assert_eq!(split.choosing_name(), format!("`{part}/`"));
    }
}

#[test]
fn folders_around_a_data_set_are_looked_through_and_named() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..10 {
        pictures(dir.path(), &[&format!("a/PetImages/cats/{i}.png"), &format!("a/PetImages/dogs/{i}.png")]);
    }
    write(dir.path(), "a/__MACOSX/PetImages/cats/._0.png", b"");
    write(dir.path(), "a/readme.txt", b"");
    let split = opened(&dir.path().join("a"));
    assert_eq!((names(&split), split.train.len()), (vec!["cats".into(), "dogs".into()], 16));
    assert!(split.notes[0].contains("its folder `PetImages`, which is taken"), "{:?}", split.notes);

    let parts = [
        "b/data/pets/train/cat/0.png",
        "b/data/pets/train/dog/0.png",
        "b/data/pets/val/cat/1.png",
        "b/data/pets/val/dog/1.png",
    ];
    pictures(dir.path(), &parts);
    let split = opened(&dir.path().join("b"));
    assert_eq!((split.train.len(), split.choosing().len(), split.notes.len()), (2, 2, 2));

    // Kaggle's way: the folder of a part lies in a folder of its name.
    let parts = [
        "training_set/training_set/cats/0.png",
        "training_set/training_set/dogs/0.png",
        "test_set/test_set/cats/1.png",
        "test_set/test_set/dogs/2.png",
    ];
    parts.iter().for_each(|name| pictures(dir.path(), &[&format!("c/{name}")]));
    let split = opened(&dir.path().join("c"));
    assert_eq!((names(&split).len(), split.train.len(), split.evaluation().len()), (2, 2, 2));

    pictures(dir.path(), &["d/set/images/0.png", "d/set/images/1.png"]);
    (0..2).for_each(|i| save_grey(dir.path(), &format!("d/set/masks/{i}.png"), [4, 4], |y, _| (y % 2) as u8));
    let split = opened(&dir.path().join("d"));
    assert_eq!(split.train.target(), &TargetKind::Mask { classes: 2 });
}

#[test]
fn what_is_no_data_set_is_called_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    pictures(dir.path(), &["one/cat/0.png", "one/cat/1.png"]);
    let (fact, help) = refused(&at("one"));
    assert!(
        fact.contains("all of its images lie in one folder, `cat`") && help.contains("/dog/1.jpg"),
        "{fact} {help}"
    );

    pictures(dir.path(), &["yolo/images/0.png", "yolo/images/1.png"]);
    write(dir.path(), "yolo/labels/0.txt", b"0 0.5 0.5 1 1");
    let (fact, help) = refused(&at("yolo"));
    assert!(fact.contains("boxes and captions are not learnt from") && help.contains("a folder of its own"), "{fact}");
    pictures(dir.path(), &["yolo2/train/images/0.png", "yolo2/valid/images/1.png"]);
    write(dir.path(), "yolo2/train/labels/0.txt", b"0 0.5 0.5 1 1");
    write(dir.path(), "yolo2/valid/labels/0.txt", b"0 0.5 0.5 1 1");
    assert!(refused(&at("yolo2")).0.contains("`labels` no masks of them"));
    pictures(dir.path(), &["yolo3/images/train/0.png", "yolo3/images/val/1.png"]);
    write(dir.path(), "yolo3/labels/train/0.txt", b"0 0.5 0.5 1 1");
    assert!(refused(&at("yolo3")).0.contains("`labels` no masks of them"));

    pictures(dir.path(), &["voc/JPEGImages/0.png", "voc/SegmentationClass/0.png"]);
    let (fact, help) = refused(&at("voc"));
    assert!(fact.contains("look like pictures with their masks"), "{fact}");
    assert!(help.contains(&format!("mv {0}/SegmentationClass {0}/masks", at("voc").display())), "{help}");

    pictures(dir.path(), &["flat/train/0.png", "flat/test/0.png"]);
    assert!(refused(&at("flat")).0.contains("hold images directly, in no folders of their classes"));
    pictures(dir.path(), &["only/test/a/0.png", "only/test/b/0.png"]);
    assert!(refused(&at("only")).0.contains("none to learn from"));
    pictures(dir.path(), &["twice/train/a/0.png", "twice/val/a/0.png", "twice/valid/a/0.png"]);
    assert!(refused(&at("twice")).0.contains("both named for the same part"));
    pictures(dir.path(), &["mixed/cat/0.png", "mixed/dog/0.png", "mixed/test/cat/0.png", "mixed/test/dog/0.png"]);
    let (fact, help) = refused(&at("mixed"));
    assert!(fact.contains("the folders `cat`, `dog` of images lie beside the part `test`"), "{fact}");
    let moved = format!("mkdir {0}/train && mv {0}/cat {0}/dog {0}/train/", at("mixed").display());
    assert!(help.ends_with(&moved), "{help}");
    let spaced = at("My Photos");
    pictures(&spaced, &["train/b/0.png", "train/c/0.png", "val/B/0.png"]);
    let (_, help) = refused(&spaced);
    assert!(help.ends_with(&format!("mv '{0}/val/B' '{0}/val/b'", spaced.display())), "{help}");
    write(dir.path(), "heic/cat/0.heic", b"");
    write(dir.path(), "heic/dog/0.HEIC", b"");
    assert!(refused(&at("heic")).0.contains("2 `.heic`"));
    assert_eq!(refusal(&at("heic"), &[3, 4, 4]), "E0802");
}

#[test]
fn masks_with_a_word_more_in_their_names_are_matched_and_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for i in 0..6 {
        pictures(dir.path(), &[&format!("p/images/p {i}.png")]);
        save_grey(dir.path(), &format!("p/masks/p {i}_mask.png"), [4, 4], |y, _| (y % 2) as u8);
    }
    let split = opened(&at("p"));
    assert_eq!(split.train.len() + split.test.as_ref().map_or(0, |test| test.len()), 6);
    assert_eq!(split.notes, ["masks in `masks` are matched to their images without `_mask` in their names"]);
    pictures(dir.path(), &["p/images/p 9.png"]);
    let split = opened(&at("p"));
    assert!(split.warnings[0].notes[0].contains("it has no mask `masks/p 9_mask.png`"), "{:?}", split.warnings);

    for i in 0..3 {
        pictures(dir.path(), &[&format!("one/{i}.png"), &format!("below/all/{i}.png")]);
        save_grey(dir.path(), &format!("one/{i}_mask.png"), [4, 4], |y, _| (y % 2) as u8);
        save_grey(dir.path(), &format!("below/all/{i}_mask.png"), [4, 4], |y, _| (y % 2) as u8);
    }
    let (fact, help) = refused(&at("one"));
    assert!(fact.contains("images and their masks together, as `0` and `0_mask`"), "{fact}");
    let folder = at("one").display().to_string();
    let moved =
        format!("mkdir {folder}/images {folder}/masks && mv {folder}/*_mask.* {folder}/masks/ && mv {folder}/*.* ");
    assert!(help.contains(&moved), "{help}");
    assert!(refused(&at("below")).1.contains("below/all/*_mask.*"));
}

#[test]
fn images_with_their_masks_are_no_two_classes() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for i in 0..4 {
        save_rgb(dir.path(), &format!("d/x/{i}.png"), [4, 4], [200, 9, 30]);
        save_grey(dir.path(), &format!("d/y/{i}.png"), [4, 4], |y, _| (y % 2) as u8);
        save_rgb(dir.path(), &format!("pets/cat/{i}.png"), [4, 4], [200, 9, 30]);
        save_rgb(dir.path(), &format!("pets/dog/{i}.png"), [4, 4], [9, 200, 30]);
        for part in ["train", "val"] {
            save_rgb(dir.path(), &format!("cam/{part}/{i}.png"), [4, 4], [200, 9, 30]);
            save_grey(dir.path(), &format!("cam/{part}annot/{i}.png"), [4, 4], |y, _| (y % 2) as u8);
        }
    }
    let (fact, help) = refused(&at("d"));
    let folder = at("d").display().to_string();
    assert!(fact.contains("`x` and `y` hold files of the same names and sizes"), "{fact}");
    assert!(help.contains(&format!("mv {folder}/x {folder}/images && mv {folder}/y {folder}/masks")), "{help}");
    assert_eq!(names(&opened(&at("pets"))), ["cat", "dog"]);
    let (fact, help) = refused(&at("cam"));
    let folder = at("cam").display().to_string();
    assert!(fact.contains("look like images with their masks"), "{fact}");
    assert!(help.contains(&format!("mv {folder}/trainannot {folder}/masks/train")), "{help}");
}

#[test]
fn a_table_of_classes_is_said_to_be_none_with_what_sorts_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    pictures(dir.path(), &["d/images/a.png", "d/images/b.png", "flat/a.png"]);
    write(dir.path(), "d/labels.csv", b"filename,label\na.png,cat\nb.png,dog\n");
    write(dir.path(), "flat/labels.csv", b"id;breed\na;pug\n");
    write(dir.path(), "d/data.yaml", b"names: [cat, dog]");
    let sorts =
        |help: &str| help.contains("os.makedirs(folder, exist_ok=True)") && help.contains("csv.DictReader(open(");
    for place in ["d", "d/labels.csv", "flat"] {
        let (fact, help) = refused(&at(place));
        assert!(sorts(&help) && help.contains("labels-sorted"), "{fact} {help}");
    }
    assert!(refused(&at("d")).0.contains("`labels.csv` is not read"));
    assert!(refused(&at("flat")).1.contains("row['id'] + '.png'"));
    assert!(refused(&at("d/data.yaml")).0.contains("it describes a data set"));
}

#[cfg(unix)]
#[test]
fn a_class_whose_name_is_no_text_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), &["cat/1.png", "dog/1.png"]);
    let foreign = dir.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    // Some file systems take no such names.
    if std::fs::create_dir(foreign).is_ok() {
        assert!(warned(&opened(dir.path())).contains("has a name that is no UTF-8, and is not read"));
    }
}

#[test]
fn nothing_is_passed_over_without_a_word() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..10 {
        pictures(dir.path(), &[&format!("cat/{i}.png"), &format!("dog/{i}.PNG"), &format!("Cat/{i}.png")]);
    }
    for name in
        ["cat/a.heic", "cat/b.HEIC", "dog/sub/notes.txt", "dog/none", "cat/Thumbs.db", "cat/.hidden.png", "extra/x.csv"]
    {
        write(dir.path(), name, b"");
    }
    pictures(dir.path(), &["loose.png"]);
    let split = opened(dir.path());
    let said = warned(&split);
    assert_eq!(names(&split), ["Cat", "cat", "dog"]);
    for part in [
        "W0802 5 files are no pictures that are read",
        "2 `.heic`, 1 `.txt`",
        "1 without an ending",
        "`cat/a.heic`, `cat/b.HEIC`",
        "W0803 the folder `extra` holds no image",
        "W0803 `Cat` and `cat` are two classes, and differ in case alone",
        "W0803 1 image lies beside the folders of classes and in none, and is not read: `loose.png`",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }

    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), &["train/a/0.png", "train/b/0.png", "val/a/0.png", "more/a/9.png", "test/9.png"]);
    let said = warned(&opened(dir.path()));
    for part in [
        "`val` has no image of `b`",
        "1 image lies in `more`, in no part",
        "1 image lies in `test`, in no folders of their classes",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    pictures(dir.path(), &["val/B/0.png"]);
    let (fact, help) = refused(dir.path());
    assert!(
        fact.contains("`val/B` is a class that is not learnt from") && help.contains("is it `b`?"),
        "{fact} {help}"
    );
}

#[test]
fn parts_whose_pictures_cannot_be_read_are_said_to_be_none() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), &["My d/train/cat/1.png", "My d/train/dog/2.png"]);
    for name in ["val/cat/0.heic", "val/dog/0.HEIC", "docs/notes.txt"] {
        write(&dir.path().join("My d"), name, b"");
    }
    let split = opened(&dir.path().join("My d"));
    let said = warned(&split);
    assert!(said.contains("W0803 `val` holds no image that is read, and is no part"), "{said}");
    assert!(said.contains("W0802 3 files") && said.contains("2 `.heic`, 1 `.txt`"), "{said}");
    let help = split.warnings.iter().find_map(|w| w.help.clone().filter(|_| w.code.0 == "W0802")).unwrap();
    let folder = dir.path().join("My d");
    let command = format!("find '{}' -iname '*.heic' -exec magick mogrify -format png {{}} +", folder.display());
    assert!(help.ends_with(&command), "{help}");
    // The folder that is taken lies beside a part of which nothing can be read.
    pictures(dir.path(), &["e/all/cat/0.png", "e/all/dog/0.png", "e/all/dog/1.png"]);
    write(dir.path(), "e/test/cat/0.heic", b"");
    let said = warned(&opened(&dir.path().join("e")));
    assert!(said.contains("e/test` holds no image that is read"), "{said}");
}

/// Pictures with their masks at these places, `images` standing for both.
fn masked(directory: &Path, names: &[&str]) {
    pictures(directory, names);
    for name in names {
        save_grey(directory, &name.replace("images", "masks"), [4, 4], |y, _| (y % 2) as u8);
    }
}

#[test]
fn parts_beside_masks_are_read_or_said() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    masked(&at("a"), &["images/0.png", "images/1.png", "val/images/2.png"]);
    let (fact, help) = refused(&at("a"));
    assert!(fact.contains("`images` and `masks` lie beside `val`, which has images and masks of its own"), "{fact}");
    assert!(
        help.ends_with(&format!("mkdir {0}/train && mv {0}/images {0}/masks {0}/train/", at("a").display())),
        "{help}"
    );
    masked(&at("a"), &["train/images/3.png"]);
    assert!(refused(&at("a")).1.ends_with(&format!("mv {0}/train {0}/val {0}-more/", at("a").display())));

    masked(&at("b"), &["train/images/1.png"]);
    pictures(&at("b"), &["val/imgs/1.png", "val/masks/1.png", "train/extra/2.png", "loose.png"]);
    let said = warned(&opened(&at("b")));
    for part in [
        "2 images lie in `val`, in no part, and are not read",
        "1 image lies in `train/extra`, beside `images` and `masks`, and is not read",
        "1 image lies in no part, and is not read: `loose.png`",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }

    masked(&at("c"), &["images/train/0.png", "images/val/1.png", "images/extra/2.png"]);
    write(&at("c"), "images/test/3.heic", b"");
    let split = opened(&at("c"));
    let said = warned(&split);
    assert_eq!((split.train.len(), split.choosing().len()), (1, 1));
    for part in [
        "1 image lies in `images/extra`, in no part, and is not read",
        "1 image lies in `masks/extra`, in no part, and is not read",
        "`images/test` holds no image that is read, and is no part",
        "1 `.heic`",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }

    // Of two folders of masks for one part, that of the same name is its.
    masked(&at("d"), &["images/train/0.png", "images/valid/1.png"]);
    pictures(&at("d"), &["masks/val/9.png"]);
    let split = opened(&at("d"));
    assert_eq!((split.choosing().len(), split.choosing_name()), (1, "`images/valid/`"));
    assert!(warned(&split).contains("1 image lies in `masks/val`, in no part"), "{}", warned(&split));

    // Given parts of which that to learn from is empty: nothing is held out.
    masked(&at("e"), &["test/images/0.png"]);
    ["images", "masks"].iter().for_each(|name| std::fs::create_dir_all(at("e").join("train").join(name)).unwrap());
    let error = open(text(&at("e")), &DataSpec::new(&[3, 4, 4])).err().unwrap();
    assert!(error.to_string().contains("`train/` holds no images that are read"), "{error}");
    write(&at("e"), "train/images/1.png", b"");
    write(&at("e"), "test/images/2.png", b"");
    let error = open(text(&at("e")), &DataSpec::new(&[3, 4, 4])).err().unwrap();
    assert!(error.to_string().contains("2 files are broken in all, the first:"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_in_circles_end_and_add_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..10 {
        pictures(dir.path(), &[&format!("cat/{i}.png"), &format!("dog/in/{i}.png")]);
    }
    std::os::unix::fs::symlink(dir.path(), dir.path().join("cat/up")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("dog/in"), dir.path().join("dog/in/again")).unwrap();
    std::os::unix::fs::symlink("nowhere.png", dir.path().join("dog/lost.png")).unwrap();
    let split = opened(dir.path());
    assert_eq!(split.train.len() + split.evaluation().len(), 20);
    assert!(warned(&split).contains("lost.png"), "{}", warned(&split));
}

#[test]
fn a_file_more_moves_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let colours = |split: &Split| -> Vec<(i64, u8)> {
        let test = split.test.as_ref().unwrap();
        let mut all: Vec<_> =
            (0..test.len()).map(|i| sample(test.as_ref(), i)).map(|s| (class(&s), super::data::bytes(&s)[0])).collect();
        all.sort();
        all
    };
    for i in 0..60u8 {
        save_rgb(dir.path(), &format!("a/{i}.png"), [4, 4], [i; 3]);
        save_rgb(dir.path(), &format!("b/x{i}.png"), [4, 4], [i; 3]);
    }
    let before = colours(&opened(dir.path()));
    for i in 60..90u8 {
        save_rgb(dir.path(), &format!("a/{i}.png"), [4, 4], [i; 3]);
        save_rgb(dir.path(), &format!("0/{i}.png"), [4, 4], [i; 3]);
    }
    // Another class comes first, so that the others' numbers are one higher.
    let after: Vec<_> = colours(&opened(dir.path())).into_iter().filter(|(_, colour)| *colour < 60).collect();
    assert_eq!(after, before.iter().map(|(class, colour)| (class + 1, *colour)).collect::<Vec<_>>());

    let few = tempfile::tempdir().unwrap();
    pictures(few.path(), &["a/1.png", "a/2.png", "b/0.png", "b/3.png"]);
    let said = warned(&opened(few.path()));
    assert!(said.contains("no image of `a` was held out"), "{said}");
    let whole = DataSpec { holding: Holding::Nothing, ..DataSpec::new(&[3, 4, 4]) };
    let split = open(text(few.path()), &whole).unwrap();
    assert_eq!((split.evaluation().len(), split.evaluation_name(), split.warnings.len()), (4, "all of it", 0));
}

#[test]
fn classes_are_matched_by_their_names() {
    let dir = tempfile::tempdir().unwrap();
    for (i, name) in ["b", "c", "C2"].iter().enumerate() {
        save_rgb(dir.path(), &format!("{name}/0.png"), [4, 4], [i as u8; 3]);
    }
    let known = ["a", "b", "c", "c2"].map(String::from).to_vec();
    let want = DataSpec { holding: Holding::Nothing, known: known.clone(), ..DataSpec::new(&[3, 4, 4]) };
    let split = open(text(dir.path()), &want).unwrap();
    assert_eq!(split.train.target(), &TargetKind::Class { count: 4, names: known });
    let mut classes: Vec<_> =
        (0..3).map(|i| sample(split.train.as_ref(), i)).map(|s| (super::data::bytes(&s)[0], class(&s))).collect();
    classes.sort();
    assert_eq!(classes, [(0, 1), (1, 2), (2, 3)]);
    assert!(
        warned(&split).contains("the class `C2` is taken for `c2`") && split.notes[0].contains("no samples of `a`")
    );

    save_rgb(dir.path(), "dd/0.png", [4, 4], [7; 3]);
    let error = open(text(dir.path()), &want).err().unwrap();
    assert_eq!(error.fault().code.0, "E0806");
    assert!(error.to_string().contains("the class `dd`, which the run does not know"), "{error}");
    // Learning further, new classes come behind those that are known.
    let split = open(text(dir.path()), &DataSpec { growing: true, ..want.clone() }).unwrap();
    assert_eq!(names(&split), ["a", "b", "c", "c2", "dd"]);
    let other = DataSpec { growing: true, known: vec!["x".into(), "y".into()], ..want };
    assert_eq!(names(&open(text(dir.path()), &other).unwrap()), ["C2", "b", "c", "dd"]);
}
