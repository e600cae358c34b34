//! Where a node stands among the modules of the program that wrote it.

use crate::exchange::onnx::proto::NodeProto;

/// Modules that stand in one another at most; what a file says of more is no path.
const DEEPEST: usize = 32;

/// The path of a node, outermost module first, and the modules' classes where the file tells them.
///
/// PyTorch's exporters keep it in names (`/layer1/layer1.0/conv1/Conv`) or in the property `namespace`
/// (`: ResNet/layer1: Sequential/layer1.0: Bottleneck/…: aten.add.Tensor`). The name of a weight, `layer1.0.conv1.weight`,
/// says it best. `own` are archc's files, whose nodes are named by path.
pub fn of(node: &NodeProto, weight: Option<&str>, own: bool) -> (Option<Vec<String>>, Vec<String>) {
    let namespace = node.metadata_props.iter().find(|p| p.key == "namespace").map(|p| p.value.as_str());
    let (mut path, classes) = match namespace {
        Some(text) => by_namespace(text),
        None if own => {
            (Some(node.name.split('/').next().unwrap_or("").split('.').map(String::from).collect()), Vec::new())
        }
        None => (by_name(&node.name), Vec::new()),
    };
    if let Some(own) = weight.and_then(by_weight) {
        path = Some(own);
    }
    let path = path.filter(|words| words.len() <= DEEPEST);
    let classes = if classes.len() <= DEEPEST + 1 { classes } else { Vec::new() };
    (path.map(|words| words.iter().map(|word| clean(word)).collect()), classes)
}

/// `layer1.0.conv1.weight` without its last word; `None` for a name that says nothing.
fn by_weight(name: &str) -> Option<Vec<String>> {
    let (module, _) = name.rsplit_once('.')?;
    let said = !module.is_empty() && !module.contains("::") && !module.contains('/');
    said.then(|| module.split('.').map(String::from).collect())
}

/// `/layer1/layer1.0/conv1/Conv` as layer1, 0, conv1; names that are paths with dots stay those.
fn by_name(name: &str) -> Option<Vec<String>> {
    let Some(inside) = name.strip_prefix('/') else {
        let dotted = name.contains('.') && !name.contains("::") && !name.contains('/');
        return dotted.then(|| name.split('.').map(String::from).collect());
    };
    let mut words: Vec<&str> = inside.split('/').collect();
    words.pop();
    let mut path = Vec::new();
    let mut last = "";
    for word in words {
        let own = word.strip_prefix(last).and_then(|rest| rest.strip_prefix('.')).filter(|_| !last.is_empty());
        path.extend(own.unwrap_or(word).split('.').map(String::from));
        last = word;
    }
    Some(path)
}

/// The path of the innermost module, and a class for the model and for each word of the path; empty where a word is no module
/// of its own (an entry of a list).
fn by_namespace(text: &str) -> (Option<Vec<String>>, Vec<String>) {
    let parts: Vec<(&str, &str)> = text.split('/').filter_map(|part| part.split_once(": ")).collect();
    let modules = parts.get(..parts.len().saturating_sub(1)).unwrap_or(&[]);
    let words = |path: &str| path.split('.').filter(|w| !w.is_empty()).map(String::from).collect::<Vec<_>>();
    let path = words(modules.last().map_or("", |(name, _)| name));
    let mut classes = vec![String::new(); path.len() + 1];
    for (name, class) in modules {
        if let Some(place) = classes.get_mut(words(name).len()) {
            *place = class.rsplit('.').next().unwrap_or(class).to_string();
        }
    }
    (Some(path), classes)
}

/// A word that can be a label.
pub fn clean(word: &str) -> String {
    let kept: String = word.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if kept.is_empty() { "_0".into() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_too_deep_are_none() {
        let deep = "a.".repeat(10_000) + "weight";
        let node = |name: &str| NodeProto { name: name.into(), ..NodeProto::default() };
        assert_eq!(of(&node(""), Some(&deep), false), (None, Vec::new()));
        assert_eq!(of(&node(&deep), None, true), (None, Vec::new()));
        let layer = Some(vec!["layer1".to_string(), "0".into()]);
        assert_eq!(of(&node(""), Some("layer1.0.weight"), false), (layer, Vec::new()));
    }
}
