//! Do these sizes fit the inputs as declared? What values do the free sizes get?

use super::Result;
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, codes};
use crate::elaborate::InputDecl;
use std::collections::BTreeMap;

/// Values of the free sizes, by name, without the batch.
pub type Sizes = BTreeMap<String, usize>;

/// What a network is given: for each input its place among the given, the batch, and the free sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// For each input, in file order, its position among what is given.
    pub order: Vec<usize>,
    /// Samples.
    pub batch: usize,
    /// Values of the free sizes.
    pub sizes: Sizes,
}

/// Finds every input among named sizes, each with the batch in front, and binds the free sizes.
///
/// # Errors
/// `E0902` where an input is missing, unknown, or has axes that do not fit.
pub fn bind(decls: &[InputDecl], given: &[(&str, &[usize])]) -> Result<Bound> {
    refuse_strangers(decls, given)?;
    let mut sizes = Sizes::new();
    let mut batch = None;
    let mut order = Vec::with_capacity(decls.len());
    for decl in decls {
        let found = given.iter().position(|(name, _)| *name == decl.name);
        let position = found.ok_or_else(|| unfit(decl, "is not given"))?;
        bind_axes(decl, given[position].1, &mut batch, &mut sizes)?;
        order.push(position);
    }
    Ok(Bound { order, batch: batch.unwrap_or(1), sizes })
}

fn refuse_strangers(decls: &[InputDecl], given: &[(&str, &[usize])]) -> Result<()> {
    let names = || decls.iter().map(|decl| decl.name.as_str());
    let Some((stranger, _)) = given.iter().find(|(name, _)| !names().any(|n| n == *name)) else {
        return Ok(());
    };
    let diagnostic = Diagnostic::new(codes::INPUT_UNFIT, format!("there is no input named `{stranger}`"));
    let help = match nearest(stranger, names()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the inputs are {}", names().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")),
    };
    Err(Box::new(diagnostic.help(help)))
}

fn bind_axes(decl: &InputDecl, dims: &[usize], batch: &mut Option<usize>, sizes: &mut Sizes) -> Result<()> {
    if dims.len() != decl.dims.len() {
        return Err(unfit(decl, &format!("is {dims:?}, want {}", declared(decl))));
    }
    if dims.contains(&0) {
        return Err(unfit(decl, &format!("is {dims:?}, which holds nothing")));
    }
    if *batch.get_or_insert(dims[0]) != dims[0] {
        return Err(unfit(decl, &format!("has a batch of {}, another input one of {}", dims[0], batch.unwrap_or(0))));
    }
    for (&size, (name, planned)) in dims.iter().zip(&decl.dims).skip(1) {
        match (name, planned) {
            (Some(name), _) => {
                let bound = *sizes.entry(name.clone()).or_insert(size);
                if bound != size {
                    return Err(unfit(decl, &format!("has `{name}` = {size}, another axis of that name has {bound}")));
                }
            }
            (None, Some(planned)) if *planned != size => {
                return Err(unfit(decl, &format!("is {dims:?}, want {}", declared(decl))));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `E0902` about an input.
pub fn unfit(decl: &InputDecl, fact: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(codes::INPUT_UNFIT, format!("the input `{}` {fact}", decl.name)))
}

/// `[N, 3, H=224, W=224]`, as the file has it.
fn declared(decl: &InputDecl) -> String {
    let axis = |(name, size): &(Option<String>, Option<usize>)| match (name, size) {
        (Some(name), Some(size)) => format!("{name}={size}"),
        (Some(name), None) => name.clone(),
        (None, size) => size.map_or("?".into(), |size| size.to_string()),
    };
    format!("[{}]", decl.dims.iter().map(axis).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decl(name: &str, channels: usize) -> InputDecl {
        let named = |n: &str, size| (Some(n.to_string()), size);
        InputDecl {
            name: name.into(),
            dims: vec![named("N", None), (None, Some(channels)), named("H", Some(8)), named("W", Some(8))],
        }
    }

    fn message(decls: &[InputDecl], given: &[(&str, &[usize])]) -> String {
        let diagnostic = bind(decls, given).unwrap_err();
        format!("{} {}", diagnostic.message, diagnostic.help.unwrap_or_default())
    }

    #[test]
    fn free_sizes_take_what_is_given() {
        let bound = bind(&[decl("image", 3)], &[("image", &[2, 3, 10, 12])]).unwrap();
        assert_eq!((bound.order, bound.batch), (vec![0], 2));
        assert_eq!(bound.sizes, Sizes::from([("H".into(), 10), ("W".into(), 12)]));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let one = [decl("image", 3)];
        assert!(message(&one, &[("imag", &[2, 3, 10, 12])]).contains("did you mean `image`"));
        assert!(message(&one, &[]).contains("is not given"));
        assert!(message(&one, &[("image", &[2, 4, 8, 8])]).contains("want [N, 3, H=8, W=8]"));
        assert!(message(&one, &[("image", &[3, 8, 8])]).contains("want [N, 3, H=8, W=8]"));
        assert!(message(&one, &[("image", &[0, 3, 8, 8])]).contains("holds nothing"));
        let two = [decl("image", 3), decl("mask", 1)];
        assert!(message(&two, &[("image", &[2, 3, 10, 12]), ("mask", &[2, 1, 9, 12])]).contains("`H` = 9"));
        assert!(message(&two, &[("image", &[2, 3, 10, 12]), ("mask", &[3, 1, 10, 12])]).contains("batch of 3"));
    }
}
