//! An op as the call that makes it.

use crate::ops::{ArgType, Argument, Op, Value, layer};

/// `conv(64, 7, stride=2)`: the call that gives this op, with what differs from the defaults. `like` names the value whose
/// size an upsampling takes, where it takes one.
///
/// `None` for ops that are no layers: inputs, merges, and what `fit` and `via zero_pad` make.
pub fn layer_call(op: &Op, like: Option<&str>) -> Option<String> {
    let spec = layer(op.layer().kind())?;
    let mut said = Vec::new();
    for argument in op.layer().arguments().iter().filter(|argument| !argument.is_default) {
        let text = match argument.ty {
            ArgType::Operand => like?.to_string(),
            _ => written(&argument.short()),
        };
        let plain = spec.arg(argument.name).is_some_and(|arg| arg.plain);
        said.push(if plain { text } else { format!("{}={text}", argument.name) });
    }
    Some(if said.is_empty() { spec.name.into() } else { format!("{}({})", spec.name, said.join(", ")) })
}

/// An argument's value as the language reads it.
pub fn value_text(argument: &Argument) -> String {
    written(&argument.short())
}

/// A value as the language reads it.
fn written(value: &Value) -> String {
    let all = |items: &[Value]| items.iter().map(written).collect::<Vec<_>>().join(", ");
    let named = |(name, value): &(Option<String>, Value)| match name {
        Some(name) => format!("{name}={}", written(value)),
        None => written(value),
    };
    let fields = |fields: &[(String, Value)]| {
        fields.iter().map(|(name, value)| format!("{name}={}", written(value))).collect::<Vec<_>>().join(", ")
    };
    match value {
        Value::Int(n) => n.to_string(),
        Value::Float(x) => number(*x),
        Value::Bool(on) => on.to_string(),
        Value::Str(text) => format!("{text:?}"),
        Value::List(items) => format!("[{}]", all(items)),
        Value::Word(word) => word.clone(),
        Value::Call(word, args) => format!("{word}({})", args.iter().map(named).collect::<Vec<_>>().join(", ")),
        Value::Record(all) => format!("({})", fields(all)),
    }
}

/// A number as the language reads it: whole ones without a point.
pub(super) fn number(value: f64) -> String {
    let whole = value.fract() == 0.0 && value.abs() < 1e15 && (value != 0.0 || value.is_sign_positive());
    if whole { format!("{value:.0}") } else { format!("{value:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Args, Value, layers};
    use crate::shape::Shape;

    #[test]
    fn numbers_are_read_back() {
        for value in [0.0, 1.0, -2.0, 0.01, 1e-5, 1e-7, 0.1, 1e300, 3.0000000000000004, 123456789.0] {
            assert_eq!(number(value).parse::<f64>().unwrap(), value);
        }
        assert_eq!([number(-2.0), number(1e-5), number(0.5)], ["-2", "1e-5", "0.5"]);
    }

    #[test]
    fn layers_without_arguments_are_their_word() {
        let map = Shape::new([4, 8, 8]);
        for spec in layers().iter().filter(|spec| spec.args.iter().all(|arg| arg.default.is_some())) {
            if spec.name != "upsample" {
                let op = (spec.make)(&Args::default(), &map).unwrap();
                assert_eq!(layer_call(&op, None).as_deref(), Some(spec.name));
            }
        }
    }

    #[test]
    fn an_even_window_says_its_padding() {
        let given = [("width", 8), ("kernel", 2), ("pad", 0)].map(|(name, n)| (name.to_string(), Value::Int(n)));
        let make = layers().iter().find(|spec| spec.name == "conv").unwrap().make;
        let op = make(&Args { given: given.into() }, &Shape::new([4, 8, 8])).unwrap();
        assert_eq!(layer_call(&op, None).as_deref(), Some("conv(8, 2, pad=0)"));
    }
}
