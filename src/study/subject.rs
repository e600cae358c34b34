//! What is studied: a network and its plain twin, at one or several values of a parameter.

use crate::base::{Diagnostic, Severity, codes};
use crate::elaborate::recipe::Duration;
use crate::elaborate::{Compiled, Network, Recipe};
use crate::ops::Op;
use crate::train::checkpoint::RunInfo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// With skips, or without any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Twin {
    /// The network as it was written.
    Skip,
    /// The same without its skip edges.
    Plain,
}

impl Twin {
    /// In figures and texts.
    pub fn words(self) -> &'static str {
        match self {
            Self::Skip => "with skips",
            Self::Plain => "plain",
        }
    }

    /// In tables and names of files.
    pub fn key(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Plain => "plain",
        }
    }
}

/// A compiled file with all that the command line says of how it is trained.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The file, as it was named.
    pub file: String,
    /// The network as written.
    pub compiled: Compiled,
    /// What the data are, as `--data` says it.
    pub data: String,
    /// Passes over the data, where the recipe's are not wanted.
    pub epochs: Option<usize>,
    /// The run whose weights are looked at: pixels are normalised as it did.
    pub run: Option<RunInfo>,
}

/// One network of a study.
#[derive(Clone, Debug)]
pub struct Case {
    /// With skips or without.
    pub twin: Twin,
    /// The parameter that was varied and its value: `n`, `9`.
    pub varied: Option<(String, String)>,
    /// The network.
    pub network: Network,
    /// How it is trained.
    pub recipe: Recipe,
    /// What was set, the varied parameter and the seed included, in the order of names.
    pub settings: BTreeMap<String, String>,
}

impl Subject {
    /// The network as written.
    ///
    /// # Errors
    /// The first error of the compilation.
    pub fn network(&self) -> Result<&Network, Diagnostic> {
        self.compiled.sound()
    }

    /// One twin, with a parameter of the model or a line of the recipe set to a value, and another seed.
    ///
    /// # Errors
    /// What the compiler reports; `E0707` where there is no recipe.
    pub fn case(&self, twin: Twin, varied: Option<(&str, &str)>, seed: Option<u64>) -> Result<Case, Diagnostic> {
        let mut options = self.compiled.options.clone();
        options.model = Some(self.network()?.name.clone());
        options.plain = twin == Twin::Plain;
        options.settings.extend(varied.map(|(name, value)| (name.to_string(), value.to_string())));
        options.settings.extend(seed.map(|seed| ("seed".to_string(), seed.to_string())));
        let (network, found) = self.compiled.program.elaborate(&options);
        let error = found.iter().find(|d| d.severity == Severity::Error).cloned();
        let missing = || Diagnostic::new(codes::INTERNAL, "there is no network, and no error that says why");
        let network = network.ok_or_else(|| error.unwrap_or_else(missing))?;
        let mut recipe = network.recipe.clone().ok_or_else(|| no_recipe(&network.name))?;
        if let Some(epochs) = self.epochs {
            recipe.duration = Duration::Epochs(epochs);
        }
        if let Some(run) = &self.run {
            recipe.normalize = run.normalize(recipe.normalize.as_ref());
        }
        let varied = varied.map(|(name, value)| (name.to_string(), value.to_string()));
        Ok(Case { twin, varied, network, recipe, settings: options.settings.into_iter().collect() })
    }

    /// Both twins at each value of the parameter that is varied; the twins as they stand where none is.
    ///
    /// # Errors
    /// As [`case`](Self::case); `E0930` where the network has no skips.
    pub fn twins(&self, varied: Option<(&str, &[String])>) -> Result<Vec<Case>, Diagnostic> {
        if self.network()?.graph.skips.is_empty() {
            return Err(no_skips(&self.network()?.name));
        }
        let values: Vec<Option<(&str, &str)>> = match varied {
            Some((name, values)) => values.iter().map(|value| Some((name, value.as_str()))).collect(),
            None => vec![None],
        };
        let both = [Twin::Plain, Twin::Skip].into_iter();
        both.flat_map(|twin| values.iter().map(move |&varied| self.case(twin, varied, None))).collect()
    }

    /// What makes this subject's results its own: two studies with equal questions come to the same.
    pub fn question(&self, kind: &str, extra: Value) -> Value {
        let options = &self.compiled.options;
        let texts = self.compiled.sources.files().iter().flat_map(|f| f.text.bytes().chain([0]));
        json!({
            "kind": kind,
            "version": env!("CARGO_PKG_VERSION"),
            "file": self.file,
            "source": format!("{:016x}", fingerprint(texts)),
            "model": self.compiled.network.as_ref().map(|n| n.name.clone()),
            "settings": options.settings,
            "sizes": options.sizes,
            "spatial": options.spatial,
            "data": self.data,
            "epochs": self.epochs,
            "normalize": self.run.as_ref().map(|run| &run.recipe["normalize"]),
            "asked": extra,
        })
    }

    /// `twins.arch · Twins · builtin:digits · seed 1`
    pub fn line(&self, seed: u64) -> String {
        let file =
            std::path::Path::new(&self.file).file_name().map_or_else(String::new, |n| n.to_string_lossy().into());
        let name = self.compiled.network.as_ref().map_or("", |n| n.name.as_str());
        format!("{file} · {name} · {} · seed {seed}", self.data)
    }
}

impl Case {
    /// `plain, n = 9`
    pub fn words(&self) -> String {
        match &self.varied {
            Some((name, value)) => format!("{}, {name} = {value}", self.twin.words()),
            None => self.twin.words().into(),
        }
    }

    /// `plain-n-9`, for names of files.
    pub fn key(&self) -> String {
        let plain = |c: char| if c.is_alphanumeric() || "._".contains(c) { c } else { '_' };
        match &self.varied {
            Some((name, value)) => format!("{}-{name}-{value}", self.twin.key()).replace("..", "_"),
            None => self.twin.key().into(),
        }
        .chars()
        .map(|c| if c == '-' { c } else { plain(c) })
        .collect()
    }

    /// The value that was varied; empty where none was.
    pub fn value(&self) -> &str {
        self.varied.as_ref().map_or("", |(_, value)| value)
    }

    /// Layers with weights on the way through, as papers count them: convolutions and linear layers, projections of skips not.
    pub fn depth(&self) -> usize {
        let graph = &self.network.graph;
        let heavy = |op: &Op| op.mixes_channels();
        let all = graph.order().filter(|&id| heavy(&graph.node(id).op)).count();
        let carried = graph.skips.iter().filter(|skip| {
            let operand = graph.operands(skip.merge).get(skip.source_operand).copied();
            let mut at = operand;
            // Back along `via`, which has one operand at each step.
            while let Some(id) = at.filter(|&id| id != skip.source) {
                if heavy(&graph.node(id).op) {
                    return true;
                }
                at = graph.operands(id).first().copied();
            }
            false
        });
        all - carried.count()
    }
}

/// FNV-1a, 64 bits.
pub fn fingerprint(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The error of a model without a recipe.
pub fn no_recipe(model: &str) -> Diagnostic {
    Diagnostic::new(codes::NO_RECIPE, format!("`{model}` has no training recipe, which says what it learns from")).help(format!(
        "add to the file:  train {model} {{\n    data      = \"builtin:digits\"\n    loss      = cross_entropy()\n    \
         optimizer = sgd(lr=0.1, momentum=0.9)\n    batch     = 64\n    epochs    = 10\n    metrics   = [accuracy]\n}}"
    ))
}

fn no_skips(model: &str) -> Diagnostic {
    Diagnostic::new(codes::STUDY_UNFIT, format!("`{model}` has no skips: it is its own plain twin"))
        .help("bridge layers by a skip:  skip add { conv(it.channels, 3) -> relu -> conv(it.channels, 3) }")
}
