//! Every layer against PyTorch, from the table that `tests/tables/layers.py` prints.

use super::*;

const TABLE: &str = include_str!("../../tests/tables/layers.txt");

/// The pieces of a text between commas that stand in no bracket.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut pieces) = (0, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                pieces.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(text[start..].trim());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn value(text: &str) -> Value {
    if let Some(items) = text.strip_prefix('[') {
        return Value::List(split(items.strip_suffix(']').unwrap()).into_iter().map(value).collect());
    }
    match text {
        "true" | "false" => Value::Bool(text == "true"),
        _ if text.starts_with('"') => Value::Str(text.trim_matches('"').into()),
        _ => {
            text.parse().map(Value::Int).or_else(|_| text.parse().map(Value::Float)).unwrap_or(Value::Word(text.into()))
        }
    }
}

fn sizes(text: &str) -> Vec<usize> {
    split(text.trim_matches(['[', ']'])).iter().map(|n| n.parse().unwrap()).collect()
}

/// The op of a call such as `conv(8, 3, pad=0)`.
fn make(call: &str, input: &Shape) -> Result<Op, ArgError> {
    let (name, args) = call.split_once('(').unwrap_or((call, ""));
    let spec = layer(name).unwrap();
    let mut given = Args::default();
    for (i, arg) in split(args.strip_suffix(')').unwrap_or("")).into_iter().enumerate() {
        let (name, text) = arg.split_once('=').unwrap_or((spec.args[i].name, arg));
        assert!(spec.arg(name).is_some(), "{call}: no {name}");
        given.given.insert(name.into(), value(text));
    }
    (spec.make)(&given, input)
}

/// What the table's last three columns say of a call.
fn answer(call: &str, input: &Shape) -> String {
    let Ok(op) = make(call, input) else { return "error | |".into() };
    let Ok(output) = op.layer().infer(&[input]) else { return "error | |".into() };
    let params = op.layer().params(&[input]);
    let params: Vec<String> = params.iter().map(|p| format!("{} {:?}", p.name, p.dims)).collect();
    let macs = op.layer().macs(&[input], &output);
    format!("{:?} | {} | {macs}", output.dims(), params.join(", "))
}

#[test]
fn layers_answer_as_pytorch_does() {
    let mut seen = std::collections::BTreeSet::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.splitn(3, " | ");
        let (call, dims, expected) = (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap());
        let input = Shape::new(sizes(dims));
        assert_eq!(answer(call, &input), expected, "{call} of {dims}");
        seen.insert(call.split('(').next().unwrap());
    }
    let elementwise = ["relu6", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "hard_swish", "hard_sigmoid"];
    let missing: Vec<_> =
        layers().iter().map(|l| l.name).filter(|l| !seen.contains(l) && !elementwise.contains(l)).collect();
    assert_eq!(missing, ["scale", "crop"], "layers that PyTorch has and the table has not");
}

#[test]
fn what_pytorch_lacks_follows_its_own_rule() {
    let cases = [
        ("scale", "[6, 4, 4]", "[6, 4, 4] | weight [6] | 0"),
        ("scale(per=\"tensor\")", "[6]", "[6] | weight [1] | 0"),
        ("crop([2, 3])", "[6, 5, 5]", "[6, 2, 3] |  | 0"),
        ("crop(6)", "[6, 5, 5]", "error | |"),
        ("conv(8, 4)", "[6, 5, 5]", "error | |"),
        ("conv(9223372036854775807, 3)", "[6, 5, 5]", "error | |"),
        ("conv(8, 3, dilation=9223372036854775807)", "[6, 5, 5]", "error | |"),
        ("conv(8, 0)", "[6, 5, 5]", "error | |"),
        ("conv(8, [3, 3, 3])", "[6, 5, 5]", "error | |"),
        ("conv_transpose(8, 2, stride=9223372036854775807)", "[6, 5, 5]", "error | |"),
        ("maxpool(3, stride=9223372036854775807, ceil=true)", "[6, 5, 5]", "[6, 1, 1] |  | 0"),
        ("pad(9223372036854775807)", "[6, 5, 5]", "error | |"),
        ("upsample(9223372036854775807)", "[6, 5, 5]", "error | |"),
        ("upsample(2, size=4)", "[6, 5, 5]", "error | |"),
        ("reshape([9223372036854775807, 9223372036854775807])", "[6]", "error | |"),
        ("dropout(1.5)", "[6]", "error | |"),
    ];
    for (call, dims, expected) in cases {
        assert_eq!(answer(call, &Shape::new(sizes(dims))), expected, "{call} of {dims}");
    }
}

#[test]
fn merges_join_shapes() {
    let shape = |dims: &[usize]| Shape::new(dims);
    let (a, b, gate) = (shape(&[64, 8, 8]), shape(&[32, 8, 8]), shape(&[64, 1, 1]));
    let add = merge::Add { scale: 1.0, drop_path: 0.0 };
    let refused = ShapeError::Mismatch { operand: 1, axis: 1, expected: 64, found: 32 };
    assert_eq!(add.infer(&[&a, &b]), Err(refused));
    assert_eq!(add.infer(&[&a, &a]), Ok(a.clone()));
    assert_eq!(merge::Concat {}.infer(&[&a, &b, &a]), Ok(shape(&[160, 8, 8])));
    assert_eq!(merge::Mul {}.infer(&[&a, &gate]), Ok(a.clone()));
    assert!(merge::Mul {}.infer(&[&a, &b]).is_err());
    assert_eq!(merge::Gate {}.infer(&[&a, &a, &gate]), Ok(a.clone()));
    assert!(merge::Gate {}.infer(&[&gate, &gate, &a]).is_err());
    assert!(merge::Mul {}.infer(&[&a, &shape(&[64])]).is_err());
}

#[test]
fn fitted_shapes_take_the_other_spatial_sizes() {
    let (large, small) = (Shape::new([4, 9, 9]), Shape::new([2, 6, 7]));
    assert_eq!(resize::CropLike {}.infer(&[&large, &small]), Ok(Shape::new([4, 6, 7])));
    assert!(resize::CropLike {}.infer(&[&small, &large]).is_err());
    assert_eq!(resize::PadLike {}.infer(&[&small, &large]), Ok(Shape::new([2, 9, 9])));
    assert!(resize::PadLike {}.infer(&[&large, &small]).is_err());
    let option_a = resize::ZeroPad { width: 8, stride: vec![2, 2] };
    assert_eq!(option_a.infer(&[&large]), Ok(Shape::new([8, 5, 5])));
}

#[test]
fn errors_are_in_words() {
    let map = Shape::new([64, 5, 5]);
    let said = |call: &str, input: &Shape| match make(call, input) {
        Ok(op) => op.layer().infer(&[input]).unwrap_err().message(op.layer().kind(), &[input]),
        Err(error) => format!("{}; {}", error.message, error.help.unwrap_or_default()),
    };
    let cases = [
        ("maxpool(7)", "the window of `maxpool` covers 7, but the height is 5, padding counted"),
        ("conv(8, 3, groups=3)", "64 channels cannot be divided by `groups`, which is 3"),
        ("linear(10)", "`linear` works on vectors [N, F], and this is [N, 64, 5, 5]"),
        ("reshape([3, 3])", "`reshape` must keep the 1600 elements of a sample, and makes 9"),
        ("conv(8, 4)", "a kernel of 4 has no middle, so `conv` cannot pad evenly and must say its `pad`; pad=1"),
        (
            "conv(8, 0)",
            "`kernel` must be a whole number, at least 1, or a list with one per spatial axis, not the number 0; ",
        ),
        ("conv(8, [3])", "`kernel` has 1 entry, but the input has 2 spatial axes; "),
        (
            "upsample(2, mode=bilnear)",
            "`mode` must be one of \"nearest\", \"bilinear\", not `bilnear`; mode=\"bilinear\"",
        ),
        ("conv(8)", "`kernel` is missing; "),
        ("maxpool(3, pad=2)", "`pad` is 2, and may be at most half the kernel of 3; pad=1"),
    ];
    for (call, expected) in cases {
        assert_eq!(said(call, &map), expected, "{call}");
    }
    assert_eq!(said("conv(8, 3)", &Shape::new([10])), "`conv` works on [N, C, L] or [N, C, H, W], and this is [N, 10]");
}

#[test]
fn details_say_what_matters() {
    let map = Shape::new([64, 32, 32]);
    let cases = [
        ("conv(8, 7, stride=2)", "7×7 /2"),
        ("conv(8, 3, pad=0)", "3×3 pad 0"),
        ("conv(64, 3, groups=64, dilation=2)", "3×3 dilation 2 groups 64"),
        ("conv_transpose(8, 2, stride=2)", "2×2 ×2"),
        ("maxpool(3, stride=2, pad=1)", "3×3 /2 pad 1"),
        ("maxpool(2)", "2×2"),
        ("avgpool(global)", "global"),
        ("upsample(2, mode=\"bilinear\")", "×2 bilinear"),
        ("dropout(0.1)", "p=0.1"),
        ("relu", ""),
    ];
    for (call, expected) in cases {
        assert_eq!(make(call, &map).unwrap().layer().detail(), expected, "{call}");
    }
}

#[test]
fn signatures_read_as_written() {
    assert_eq!(layer("relu").unwrap().signature(), "relu");
    assert_eq!(layer("upsample").unwrap().signature(), "upsample(factor, mode=\"nearest\", size, like)");
    let names: std::collections::BTreeSet<_> = layers().iter().map(|l| l.name).collect();
    assert_eq!(names.len(), layers().len(), "two layers of one name");
}
