//! The program itself: whole command lines over changed files, with changed words.
//!
//! An input is a line of words and what the changed file holds. Everything else that a command needs is made once, and
//! copied into a folder for every call.

use super::{Place, Seed, Verdict, bytes, corpus, data, onnx, pack, pick, text};
use archc::base::Rng;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Seconds of CPU time that a command may take; a program without optimisation may take more.
const SECONDS: u64 = if cfg!(debug_assertions) { 10 } else { 2 };

/// How long a command may wait, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Blocks of 512 bytes that a command may write into one file, and KiB that it may map.
const FILE_BLOCKS: u64 = 200_000;
const MAPPED: u64 = 8 << 20;

const NET: &str = r#"model Net(classes=10) {
    input image [N, 1, H=8, W=8]
    conv(4, 3, bias=false) -> batch_norm -> relu
    skip add { conv(4, 3) -> relu }
    avgpool(global) -> flatten -> linear(classes)
}

train Net {
    data      = "builtin:digits"
    loss      = cross_entropy()
    optimizer = sgd(lr=0.1, momentum=0.9)
    batch     = 64
    epochs    = 1
    metrics   = [accuracy]
    seed      = 3
}
"#;

/// Command lines over a changed `net.arch`.
const OVER_TEXTS: [&str; 16] = [
    "check net.arch",
    "check net.arch --sizes --format json",
    "check net.arch --plain",
    "fmt net.arch",
    "fmt --diff net.arch",
    "summary net.arch",
    "summary net.arch --json",
    "plan net.arch --train --batch 3",
    "plan net.arch --explain --threads 2",
    "graph net.arch --html g.html --svg g.svg --mermaid g.mmd",
    "diff net.arch sound.arch",
    "diff sound.arch net.arch --format json",
    "export net.arch --arch - --pytorch net.py --rust net.rs",
    "check net.arch --set classes=3 --size 16x16",
    "check net.arch --limit layers=10 --limit errors=1",
    "train net.arch --data builtin:digits --out new --no-report --threads 1 --steps 1",
];

/// A network of a million layers takes its time, and that is no fault.
const BOUNDS: &str = " --limit steps=20000 --limit layers=3000";

/// Command lines over another changed file, which their first word names.
const OVER_FILES: [(&str, &str); 17] = [
    ("w.safetensors", "run sound.arch --weights w.safetensors --input x.npy --threads 1"),
    ("w.safetensors", "run sound.arch --weights w.safetensors --partial --input x.npy --engine candle"),
    ("w.safetensors", "eval sound.arch --weights w.safetensors --threads 1"),
    ("w.safetensors", "export sound.arch --weights w.safetensors --onnx net.onnx"),
    ("x.npy", "run sound.arch --weights w.safetensors --input x.npy --output y.npy --threads 1"),
    ("p.png", "run sound.arch --weights run --input p.png --format json --threads 1"),
    ("run/recipe.json", "eval sound.arch --weights run --threads 1"),
    ("run/recipe.json", "report run --threads 1"),
    ("run/recipe.json", "train sound.arch --resume run --steps 2 --no-report --threads 1"),
    ("run/log.jsonl", "report run --threads 1"),
    ("run/log.jsonl", "train sound.arch --resume run --steps 2 --no-report --threads 1"),
    ("run/last.safetensors", "train sound.arch --resume run --steps 2 --no-report --threads 1"),
    ("run/best.safetensors", "eval sound.arch --weights run --threads 1"),
    ("run/best.safetensors", "report run --threads 1"),
    ("run/source/sound.arch", "report run --threads 1"),
    ("photos/cat/0.png", "eval photos.arch --weights photos.safetensors --data photos --threads 1"),
    ("photos/dog/0.png", "train photos.arch --data photos --out new --steps 1 --no-report --threads 1 --strict"),
];

/// Words that make sense somewhere, and words that make none.
const WORDS: [&str; 40] = [
    "--sizes",
    "--plain",
    "--format",
    "json",
    "text",
    "--quiet",
    "-v",
    "--model",
    "Net",
    "--set",
    "classes=0",
    "classes=-1",
    "classes=99999999999",
    "optimizer.lr=nan",
    "batch=0",
    "epochs=1e9",
    "--size",
    "0x0",
    "8x8",
    "H=0",
    "7",
    "99999999999x1",
    "--limit",
    "elements=0",
    "steps=1",
    "--batch",
    "0",
    "1",
    "--threads",
    "18446744073709551615",
    "--partial",
    "--engine",
    "candle",
    "--device",
    "cuda:9",
    "--",
    "-",
    "",
    "é",
    "run",
];

const PHOTOS: &str = r#"model Photos(classes=2) {
    input image [N, 3, 8, 8]
    flatten -> linear(classes)
}

train Photos {
    loss      = cross_entropy()
    optimizer = sgd(lr=0.1)
    batch     = 2
    epochs    = 1
    metrics   = [accuracy]
}
"#;

/// What every command finds in its folder; made once.
fn prepared(place: &Place, program: &Path) -> Result<PathBuf, String> {
    let sound = place.folder.join("sound");
    if sound.join("photos.safetensors").exists() {
        return Ok(sound);
    }
    // What an earlier campaign left half made; that there is nothing is as well.
    let _ = fs::remove_dir_all(&sound);
    let texts =
        [("sound.arch", NET), ("photos.arch", PHOTOS)].map(|(name, text)| (name.to_string(), text.as_bytes().to_vec()));
    for (name, bytes) in texts.into_iter().chain(data::pictures()) {
        data::write(&sound.join(name), &bytes)?;
    }
    let lines = [
        "train sound.arch --out run --steps 1 --no-report --threads 1",
        "export sound.arch --safetensors w.safetensors",
        "export photos.arch --safetensors photos.safetensors",
    ];
    for line in lines {
        let mut command = Command::new(program);
        command.current_dir(&sound).args(line.split(' ')).stdin(Stdio::null());
        let output = command.output().map_err(|error| format!("`archc {line}`: {error}"))?;
        if !output.status.success() {
            return Err(format!("`archc {line}`: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    Ok(sound)
}

/// Sound command lines with sound files.
///
/// # Panics
/// Where a file is not there that a sound command makes: then the campaign would not try what it says it does.
pub fn seeds(place: &Place) -> Vec<Seed> {
    let Some(program) = place.program.as_deref() else { return Vec::new() };
    let sound = prepared(place, program).unwrap_or_else(|why| panic!("the sound files cannot be made: {why}"));
    let line = |name: &str, words: &str, held: &[u8]| Seed::new(name, [words.as_bytes(), b"\n", held].concat());
    let mut seeds: Vec<Seed> = Vec::new();
    let over = |words: &str, held: &[u8]| match words.starts_with("fmt") {
        true => line("net.arch", words, held),
        false => line("net.arch", &format!("{words}{BOUNDS}"), held),
    };
    for (i, text) in corpus::texts(place).into_iter().enumerate() {
        seeds.push(over(OVER_TEXTS[i % OVER_TEXTS.len()], &text.bytes));
    }
    seeds.extend(OVER_TEXTS.iter().map(|words| over(words, NET.as_bytes())));
    let models = corpus::models(place);
    let import = |model: &Seed| line("m.onnx", "import m.onnx -o net.arch", &model.bytes);
    seeds.extend(models.iter().step_by(3).map(import));
    for (name, words) in OVER_FILES {
        let held = fs::read(sound.join(name)).unwrap_or_else(|error| panic!("no sound `{name}`: {error}"));
        seeds.push(line(name, words, &held));
    }
    let checkpoints = corpus::weights(place).into_iter();
    let words = |name: &str| format!("run sound.arch --weights {name} --partial --input x.npy --threads 1");
    seeds.extend(checkpoints.map(|seed| line(&seed.name, &words(&seed.name), &seed.bytes)));
    seeds
}

/// The words and the file.
fn split(input: &[u8]) -> (Vec<String>, &[u8]) {
    let end = input.iter().position(|&b| b == b'\n').unwrap_or(input.len());
    let words = String::from_utf8_lossy(&input[..end]);
    (words.split(' ').map(String::from).collect(), input.get(end + 1..).unwrap_or_default())
}

/// The file changed as what it is, the words one time in three.
pub fn mutate(seeds: &[Seed], seed: usize, rng: &mut Rng) -> Vec<u8> {
    let (mut words, held) = split(&seeds[seed].bytes);
    if rng.below(3) == 0 {
        (0..1 + rng.below(2)).for_each(|_| word_change(&mut words, rng));
    }
    let file = [Seed::new(seeds[seed].name.clone(), held)];
    let ending = Path::new(&file[0].name).extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
    let held = match (rng.below(6), ending.as_str()) {
        (0, _) => held.to_vec(),
        (_, "arch") => {
            let (_, other) = split(&seeds[rng.below(seeds.len())].bytes);
            text::mutate(&[Seed::new("net.arch", held), Seed::new("other.arch", other)], 0, rng)
        }
        (_, "onnx") => onnx::mutate(&file, 0, rng),
        (_, "pth" | "safetensors" | "json" | "png" | "npy") => pack::mutate(&file, 0, rng),
        (_, "jsonl") => text::json(&String::from_utf8_lossy(held), rng).into_bytes(),
        _ => bytes::mutate(&file, 0, rng),
    };
    [words.join(" ").as_bytes(), b"\n", &held].concat()
}

/// A word put in, dropped, or doubled. How long is trained stays: that is no fault.
fn word_change(words: &mut Vec<String>, rng: &mut Rng) {
    let at = 1 + rng.below(words.len());
    match rng.below(4) {
        0 if at < words.len() && !words[at].contains("steps") && !words[at - 1].contains("steps") => {
            drop(words.remove(at));
        }
        1 if at < words.len() => words.insert(at, words[at].clone()),
        _ => words.insert(at, pick(&WORDS, rng).into()),
    }
}

/// Runs the program: it ends soon, with a status of its own, and without a mistake of ours.
pub fn call(place: &Place, seed: &Seed, input: &[u8]) -> Verdict {
    let Some(program) = &place.program else { return Ok(()) };
    let sound = prepared(place, program)?;
    let folder = place.folder.join("call");
    let _ = fs::remove_dir_all(&folder);
    copied(&sound, &folder).map_err(|error| error.to_string())?;
    let (words, held) = split(input);
    fs::write(folder.join(&seed.name), held).map_err(|error| error.to_string())?;
    // A NUL cannot be handed to a program, and a watch or a server does not end.
    let endless = |word: &String| ["lsp", "--watch", "-w", "study", "bench"].contains(&word.as_str());
    if words.iter().any(|word| word.contains('\0') || endless(word)) {
        return Ok(());
    }
    ended(program, &folder, &words)
}

fn copied(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else { continue };
        match path.is_dir() {
            true => copied(&path, &to.join(name))?,
            false => drop(fs::copy(&path, to.join(name))?),
        }
    }
    Ok(())
}

fn ended(program: &Path, folder: &Path, words: &[String]) -> Verdict {
    let said = folder.with_extension("said");
    let open = || File::options().create(true).append(true).open(&said);
    let _ = fs::remove_file(&said);
    let streams = || Ok::<_, std::io::Error>((open()?, open()?));
    let (out, err) = streams().map_err(|error| error.to_string())?;
    let bounds =
        format!("ulimit -c 0; ulimit -t {SECONDS}; ulimit -f {FILE_BLOCKS}; ulimit -v {MAPPED}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &bounds]).arg(program).args(words).current_dir(folder).stdin(Stdio::null());
    command.env("RAYON_NUM_THREADS", "1").env("RUST_BACKTRACE", "0").stdout(out).stderr(err);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let start = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("hang: no end after {PATIENCE:?}"));
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(1)),
            Err(error) => return Err(error.to_string()),
        }
    };
    let text = String::from_utf8_lossy(&fs::read(&said).unwrap_or_default()).into_owned();
    judged(status.code(), &text)
}

fn judged(code: Option<i32>, text: &str) -> Verdict {
    let line = |word: &str| text.lines().find(|line| line.contains(word)).unwrap_or_default().to_string();
    match code {
        _ if text.contains("panicked at") => Err(format!("panic: {}", line("panicked at"))),
        _ if text.contains("[I0001]") || text.contains("\"I0001\"") => Err(format!("I0001: {}", line("I0001"))),
        _ if text.contains("memory allocation of") => Err(format!("memory: {}", line("memory allocation of"))),
        Some(0..=2) => Ok(()),
        Some(code) => Err(format!("panic: it ended with status {code}")),
        // The bound on CPU time ends a program by a signal, as a fault does.
        None if text.contains("overflowed its stack") => Err("panic: the stack overflowed".into()),
        None => Err(format!("hang: it was ended by a signal, probably after {SECONDS} s")),
    }
}
