//! Names of tensors: how one and the same parameter is called by wrappers of modules, and by files that were published long ago.

/// Longest name of a tensor that is read, in bytes: beyond, comparing names takes longer than any network is worth.
pub(super) const MAX_NAME: usize = 1024;

/// Parts that wrappers put into names, wherever the wrapped module is.
const WRAPPERS: [(&str, &str); 5] = [
    ("module", "DataParallel"),
    ("_orig_mod", "torch.compile"),
    ("_fsdp_wrapped_module", "FSDP"),
    ("_checkpoint_wrapped_module", "activation checkpointing"),
    ("_forward_module", "DeepSpeed"),
];

/// Last parts of names by which other libraries call a norm's numbers.
const NORMS: [(&str, &str); 4] =
    [("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean"), ("moving_variance", "running_var")];

/// A way in which a file's name is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rewrite {
    /// Parts of wrappers are left out.
    Unwrapped,
    /// torchvision's DenseNets before 0.2.
    Dense,
    /// Norms of TensorFlow and of older papers' code.
    Norm,
}

impl Rewrite {
    pub const ALL: [Self; 3] = [Self::Unwrapped, Self::Dense, Self::Norm];

    /// The name read in this way; `None` where it is no other.
    fn apply(self, name: &str) -> Option<String> {
        let parts: Vec<&str> = name.split('.').collect();
        match self {
            Self::Unwrapped => {
                let kept: Vec<&str> = parts.iter().copied().filter(|&part| !wraps(part)).collect();
                (kept.len() < parts.len() && !kept.is_empty()).then(|| kept.join("."))
            }
            Self::Dense => {
                let joint = |two: &[&str]| matches!(two, ["norm" | "conv" | "relu", "1" | "2"]);
                let at = parts.windows(2).position(joint).filter(|&at| at + 2 < parts.len())?;
                let (before, after) = (&parts[..at], &parts[at + 2..]);
                let joined = format!("{}{}", parts[at], parts[at + 1]);
                Some([before, &[joined.as_str()], after].concat().join("."))
            }
            Self::Norm => {
                let (layer, last) = name.rsplit_once('.')?;
                let &(_, ours) = NORMS.iter().find(|(theirs, _)| *theirs == last)?;
                Some(format!("{layer}.{ours}"))
            }
        }
    }

    /// What was done, for the user; `example` is a name that was read so.
    pub fn words(self, example: &str, count: usize) -> String {
        match self {
            Self::Unwrapped => {
                let part = example.split('.').find(|part| wraps(part)).unwrap_or_default();
                let who = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == part).map_or("a wrapper", |(_, who)| who);
                format!("`{part}.`, which {who} puts into names, was left out of {}", counted(count, "name"))
            }
            Self::Dense => {
                let names = counted(count, "name");
                format!("`norm.1.` was read as `norm1.` in {names}, as torchvision renamed them, and so for the like")
            }
            Self::Norm => {
                let theirs = example.rsplit('.').next().unwrap_or_default();
                let ours = NORMS.iter().find(|(name, _)| *name == theirs).map_or("weight", |(_, ours)| ours);
                format!("`{theirs}` was read as `{ours}` in names of norms ({} of this kind)", counted(count, "name"))
            }
        }
    }
}

/// So many of a thing: `1 tensor`, `8 tensors`.
pub(super) fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

fn wraps(part: &str) -> bool {
    WRAPPERS.iter().any(|(wrapper, _)| *wrapper == part)
}

/// Who puts this before every name, where it is a wrapper of modules.
pub(super) fn wrapper(prefix: &str) -> Option<&'static str> {
    WRAPPERS.iter().find(|(part, _)| prefix.strip_suffix('.') == Some(part)).map(|&(_, who)| who)
}

/// A name, and how it came from the file's.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spelling {
    pub text: String,
    pub rewrites: Vec<Rewrite>,
}

/// Every way in which a name can be read; as it stands first.
pub(super) fn spellings(name: &str) -> Vec<Spelling> {
    let mut all = vec![Spelling { text: name.to_string(), rewrites: Vec::new() }];
    for rewrite in Rewrite::ALL {
        for i in 0..all.len() {
            let Some(text) = rewrite.apply(&all[i].text) else { continue };
            let rewrites = all[i].rewrites.iter().copied().chain([rewrite]).collect();
            all.push(Spelling { text, rewrites });
        }
    }
    all
}

/// Where the parts of a name begin: 0, and after each dot.
pub(super) fn starts(name: &str) -> impl Iterator<Item = usize> {
    std::iter::once(0).chain(name.match_indices('.').map(|(at, _)| at + 1))
}

/// What a missing parameter is stored as where a layer's weight is split into a direction and a length, or pruned; and
/// how to make it one tensor again.
pub(super) fn parted(missing: &str, name: &str) -> Option<&'static str> {
    let fold = "fold the weight norm (`torch.nn.utils.remove_weight_norm`) and save again";
    let parametrized = "fold the parametrization (`torch.nn.utils.parametrize.remove_parametrizations`) and save again";
    let pruned = "make the pruning permanent (`torch.nn.utils.prune.remove`) and save again";
    let spectral = "fold the spectral norm (`torch.nn.utils.remove_spectral_norm`) and save again";
    let (layer, last) = missing.rsplit_once('.')?;
    let rest = name.strip_prefix(layer)?.strip_prefix('.')?;
    if let Some(inner) = rest.strip_prefix("parametrizations.") {
        return inner.strip_prefix(last)?.starts_with('.').then_some(parametrized);
    }
    match rest.strip_prefix(last)? {
        "_g" | "_v" => Some(fold),
        "_mask" => Some(pruned),
        "_u" | "_orig" => Some(spectral),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(name: &str) -> Vec<String> {
        spellings(name).into_iter().map(|s| s.text).collect()
    }

    #[test]
    fn names_are_read_in_every_way_that_they_are_written() {
        assert_eq!(texts("conv.weight"), ["conv.weight"]);
        assert_eq!(texts("features.module.0.weight"), ["features.module.0.weight", "features.0.weight"]);
        let dense = texts("module.features.denselayer1.norm.2.gamma");
        assert_eq!(dense.len(), 8);
        assert_eq!(dense[7], "features.denselayer1.norm2.weight");
        assert_eq!(texts("norm.1"), ["norm.1"]);
    }

    #[test]
    fn weights_in_parts_are_known() {
        assert!(parted("conv.weight", "conv.weight_g").unwrap().contains("remove_weight_norm"));
        assert!(parted("conv.weight", "conv.parametrizations.weight.original0").is_some());
        assert!(parted("conv.weight", "conv.weight_mask").unwrap().contains("prune"));
        assert_eq!(parted("conv.weight", "conv2.weight_g"), None);
        assert_eq!(parted("conv.bias", "conv.weight_g"), None);
    }
}
