//! An op made from its own arguments is the same op, whatever they are.

use archc::base::Rng;
use archc::ops::{ArgSpec, ArgType, Args, Op, Value, has_parameters, init, layer, layers};
use archc::shape::Shape;
use std::collections::{BTreeMap, BTreeSet};

/// A whole number between two, both included.
fn int(least: usize, most: usize, rng: &mut Rng) -> Value {
    Value::Int((least + rng.below(most - least + 1)) as i64)
}

/// One number, or one for each axis.
fn sizes(least: usize, most: usize, axes: usize, rng: &mut Rng) -> Value {
    match rng.below(2) {
        0 => int(least, most, rng),
        _ => Value::List((0..axes).map(|_| int(least, most, rng)).collect()),
    }
}

/// A random value that an argument accepts; `None` where it is to be left out.
pub fn random(spec: &ArgSpec, axes: usize, rng: &mut Rng) -> Option<Value> {
    if spec.default.is_some() && rng.below(3) == 0 {
        return None;
    }
    Some(match spec.ty {
        ArgType::Count => Value::Int([1, 2, 4][rng.below(3)]),
        ArgType::Sizes | ArgType::SizesOrGlobal => sizes(1, 5, axes, rng),
        ArgType::SizesOrZero | ArgType::SizesOrSame => sizes(0, 2, axes, rng),
        ArgType::Number => Value::Float([1.0, 0.5, 1e-3, 1e-7, 3.0000000000000004][rng.below(5)]),
        ArgType::Probability => Value::Float([0.0, 0.1, 0.25, 1.0][rng.below(4)]),
        ArgType::Bool => Value::Bool(rng.below(2) == 0),
        ArgType::Init => match rng.below(init::FORMS.len()) {
            4 => Value::Call("normal".into(), vec![(None, Value::Float(0.02))]),
            form => Value::Word(init::FORMS[form].into()),
        },
        ArgType::Choice(words) => Value::Str(words[rng.below(words.len())].into()),
        ArgType::Dims => {
            let dims: [&[i64]; 4] = [&[16 * 25], &[16, 25], &[-1], &[4, -1, 5]];
            Value::List(dims[rng.below(4)].iter().map(|&n| Value::Int(n)).collect())
        }
        ArgType::Pads => match rng.below(2) {
            0 => sizes(0, 3, axes, rng),
            _ => Value::List((0..axes).map(|_| Value::List(vec![int(0, 2, rng), int(0, 2, rng)])).collect()),
        },
        ArgType::Operand => return None,
    })
}

/// The op that these arguments make, and that which the call of its text makes.
fn again(op: &Op, input: &Shape, all: bool) -> Op {
    let arguments = op.layer().arguments();
    let kept = arguments.into_iter().filter(|argument| all || !argument.is_default);
    let given = kept.map(|argument| (argument.name.to_string(), argument.value)).collect();
    (layer(op.layer().kind()).unwrap().make)(&Args { given }, input).unwrap()
}

#[test]
fn an_op_made_of_its_own_arguments_is_the_same() {
    let rng = &mut Rng::new(12);
    let (mut made, mut owners) = (BTreeMap::new(), BTreeSet::new());
    for _ in 0..400 {
        for spec in layers() {
            let input = [Shape::new([16, 5, 5]), Shape::new([16, 25])][rng.below(2)].clone();
            let pick = |arg: &ArgSpec| Some((arg.name.to_string(), random(arg, input.spatial().len(), rng)?));
            let given = spec.args.iter().filter_map(pick).collect();
            let Ok(op) = (spec.make)(&Args { given }, &input) else { continue };
            assert_eq!(again(&op, &input, false), op, "{:?}", op.layer().arguments());
            assert_eq!(again(&op, &input, true), op, "{:?}", op.layer().arguments());
            *made.entry(spec.name).or_insert(0) += 1;
            owners.extend((!op.layer().params(&[&input]).is_empty()).then_some(spec.name));
        }
    }
    let rare: Vec<_> =
        layers().iter().filter(|spec| made.get(spec.name).is_none_or(|&n| n < 20)).map(|l| l.name).collect();
    assert!(rare.is_empty(), "hardly ever made: {rare:?}");
    let said = layers().iter().map(|spec| spec.name).filter(|name| has_parameters(name)).collect();
    assert_eq!(owners, said, "layers with parameters, and those that `ops/registry.rs` says have some");
}

#[test]
fn declarations_and_defaults_agree() {
    for spec in layers() {
        for arg in spec.args.iter().filter(|arg| arg.plain && arg.default.is_some()) {
            let others = spec.args.iter().filter(|other| other.plain).count();
            assert_eq!(others, 1, "`{}` of `{}` is written by its place, and may be left out", arg.name, spec.name);
        }
    }
}
