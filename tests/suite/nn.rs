//! Every candle function against PyTorch, values and gradients: kernels in both types, and the
//! portable path.

use archc::lower::nn;
use archc::ops::activation::Activation;
use archc::ops::conv::{Conv, ConvTranspose};
use archc::ops::init::Init;
use archc::ops::norm::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm};
use archc::ops::pool::{AdaptiveAvgPool, AvgPool, GlobalPool, MaxPool};
use archc::ops::resize::{Interpolation, PadMode};
use candle_core::{DType, Device, Result, Tensor, Var};
use safetensors::SafeTensors;
use serde_json::Value;

const FIXTURE: &[u8] = include_bytes!("../parity/nn/layers.safetensors");

fn list(case: &Value, key: &str) -> Vec<usize> {
    case[key].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

fn numbers(case: &Value, key: &str) -> Vec<f64> {
    case[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn int(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap() as usize
}

fn function(case: &Value) -> Activation {
    let a = case["a"].as_f64().unwrap_or(f64::NAN);
    match case["f"].as_str().unwrap() {
        "relu" => Activation::Relu,
        "relu6" => Activation::Relu6,
        "leaky_relu" => Activation::LeakyRelu { slope: a },
        "elu" => Activation::Elu { alpha: a },
        "gelu" => Activation::Gelu,
        "silu" => Activation::Silu,
        "sigmoid" => Activation::Sigmoid,
        "tanh" => Activation::Tanh,
        "hard_swish" => Activation::HardSwish,
        "hard_sigmoid" => Activation::HardSigmoid,
        other => panic!("no activation `{other}`"),
    }
}

fn convolution(case: &Value, x: &[&Tensor]) -> Result<Tensor> {
    let (width, kernel, stride, pad) =
        (int(case, "width"), list(case, "kernel"), list(case, "stride"), list(case, "pad"));
    let (dilation, groups, bias) = (list(case, "dilation"), int(case, "groups"), x.len() == 3);
    let (init, bias_init) = (Init::KaimingNormal, None);
    if case["op"] == "conv" {
        let op = Conv { width, kernel, stride, pad, dilation, groups, bias, init, bias_init };
        return nn::conv(x[0], x[1], x.get(2).copied(), &op);
    }
    let out_pad = list(case, "out_pad");
    let op = ConvTranspose { width, kernel, stride, pad, out_pad, dilation, groups, bias, init, bias_init };
    nn::conv_transpose(x[0], x[1], x.get(2).copied(), &op)
}

fn normalisation(case: &Value, x: &[&Tensor]) -> Result<Tensor> {
    let (w, b, eps, affine) = (x.get(1).copied(), x.get(2).copied(), case["eps"].as_f64().unwrap(), x.len() == 3);
    match case["op"].as_str().unwrap() {
        "group_norm" => nn::group_norm(x[0], w, b, &GroupNorm { groups: int(case, "groups"), eps, affine }),
        "layer_norm" => nn::layer_norm(x[0], w, b, &LayerNorm { eps, affine }),
        "instance_norm" => nn::instance_norm(x[0], w, b, &InstanceNorm { eps, affine }),
        _ => {
            let op = BatchNorm { eps, momentum: 0.1, affine, weight_init: 1.0, bias_init: 0.0 };
            let running = |key| Tensor::new(numbers(case, key), &Device::Cpu)?.to_dtype(x[0].dtype());
            let train = case["train"].as_bool().unwrap();
            let (y, moments) = nn::batch_norm(x[0], w, b, &running("mean")?, &running("var")?, &op, train)?;
            assert_eq!(moments.is_some(), train);
            Ok(y)
        }
    }
}

fn pool(case: &Value, x: &Tensor) -> Result<Tensor> {
    let window = || (list(case, "kernel"), list(case, "stride"), list(case, "pad"), case["ceil"].as_bool().unwrap());
    match case["op"].as_str().unwrap() {
        "max_pool" => {
            let (kernel, stride, pad, ceil) = window();
            nn::max_pool(x, &MaxPool { kernel, stride, pad, dilation: list(case, "dilation"), ceil })
        }
        "avg_pool" => {
            let (kernel, stride, pad, ceil) = window();
            let count_pad = case["count_pad"].as_bool().unwrap();
            nn::avg_pool(x, &AvgPool { kernel, stride, pad, ceil, count_pad })
        }
        "global_pool" => nn::global_pool(x, &GlobalPool { max: case["max"].as_bool().unwrap() }),
        _ => nn::adaptive_avg_pool(x, &AdaptiveAvgPool { size: list(case, "size") }),
    }
}

fn resize(case: &Value, x: &Tensor) -> Result<Tensor> {
    match case["op"].as_str().unwrap() {
        "upsample" => {
            let mode = if case["mode"] == "nearest" { Interpolation::Nearest } else { Interpolation::Bilinear };
            nn::upsample(x, &list(case, "size"), mode)
        }
        "pad" => {
            let mode = match case["mode"].as_str().unwrap() {
                "zero" => PadMode::Zero,
                "reflect" => PadMode::Reflect,
                _ => PadMode::Replicate,
            };
            let pair = |v: &Value| (v[0].as_u64().unwrap() as usize, v[1].as_u64().unwrap() as usize);
            let amounts: Vec<_> = case["amount"].as_array().unwrap().iter().map(pair).collect();
            nn::pad(x, &amounts, mode)
        }
        "crop" => nn::crop(x, &list(case, "offset"), &list(case, "size")),
        _ => nn::zero_pad(x, int(case, "width"), &list(case, "stride")),
    }
}

fn run(case: &Value, x: &[&Tensor]) -> Result<Tensor> {
    match case["op"].as_str().unwrap() {
        "conv" | "conv_transpose" => convolution(case, x),
        "linear" => nn::linear(x[0], x[1], x.get(2).copied()),
        "batch_norm" | "group_norm" | "layer_norm" | "instance_norm" => normalisation(case, x),
        "activation" => nn::activation(x[0], &function(case)),
        "prelu" => nn::prelu(x[0], x[1]),
        "softmax" => nn::softmax(x[0]),
        "log_softmax" => nn::log_softmax(x[0]),
        "max_pool" | "avg_pool" | "global_pool" | "adaptive_avg_pool" => pool(case, x[0]),
        "upsample" | "pad" | "crop" | "zero_pad" => resize(case, x[0]),
        "add" => nn::add(x[0], x[1], case["scale"].as_f64().unwrap()),
        "concat" => nn::concat(x),
        "mul" => nn::mul(x[0], x[1]),
        "scale" => nn::scale(x[0], x[1]),
        "gate" => nn::gate(x[0], x[1], x[2]),
        other => panic!("no function for `{other}`"),
    }
}

/// The largest difference, relative to the largest expected value.
fn distance(got: &Tensor, want: &Tensor) -> Result<f64> {
    assert_eq!(got.dims(), want.dims());
    let got: Vec<f64> = got.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
    let want: Vec<f64> = want.flatten_all()?.to_vec1()?;
    let scale = want.iter().fold(1e-3_f64, |m, v| m.max(v.abs()));
    let difference = |(g, w): (&f64, &f64)| if g.is_nan() { f64::INFINITY } else { (g - w).abs() / scale };
    Ok(got.iter().zip(&want).map(difference).fold(0.0, f64::max))
}

/// Input layouts that functions must take.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Plain,
    /// The batch is the last axis in memory.
    Strided,
}

/// All cases in one dtype; what disagrees, said together.
fn compare(dtype: DType, layout: Layout, tolerance: f64) {
    let file = SafeTensors::deserialize(FIXTURE).unwrap();
    let (_, header) = SafeTensors::read_metadata(FIXTURE).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&header.metadata().as_ref().unwrap()["cases"]).unwrap();
    assert!(cases.len() > 80, "the fixture is whole");
    let mut wrong = vec![];
    for (i, case) in cases.iter().enumerate() {
        let read = |name: &str| {
            let view = file.tensor(&format!("{i}.{name}")).unwrap();
            let values: Vec<f64> =
                view.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
            Tensor::from_vec(values, view.shape(), &Device::Cpu).unwrap()
        };
        let one = || -> Result<Vec<(String, f64)>> {
            let inputs: Vec<Var> = (0..int(case, "inputs"))
                .map(|k| Var::from_tensor(&read(&format!("in{k}")).to_dtype(dtype)?))
                .collect::<Result<_>>()?;
            let strided = |x: &Tensor| match layout {
                Layout::Plain => Ok(x.clone()),
                Layout::Strided => x.transpose(0, x.rank() - 1)?.contiguous()?.transpose(0, x.rank() - 1),
            };
            let views = inputs.iter().map(|v| strided(v.as_tensor())).collect::<Result<Vec<_>>>()?;
            let y = run(case, &views.iter().collect::<Vec<_>>())?;
            let grads = (&y * read("weights").to_dtype(dtype)?)?.sum_all()?.backward()?;
            let mut distances = vec![("out".to_string(), distance(&y, &read("out"))?)];
            for (k, v) in inputs.iter().enumerate() {
                let grad = grads.get(v.as_tensor()).expect("every input has a gradient");
                distances.push((format!("grad{k}"), distance(grad, &read(&format!("grad{k}")))?));
            }
            Ok(distances)
        };
        match one() {
            Ok(all) => wrong
                .extend(all.into_iter().filter(|d| d.1 > tolerance).map(|(n, d)| format!("{i} {n} {d:.1e} {case}"))),
            Err(e) => wrong.push(format!("{i} {e} {case}")),
        }
    }
    assert!(wrong.is_empty(), "{} values differ from PyTorch's:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn kernels_agree_with_pytorch() {
    compare(DType::F64, Layout::Plain, 1e-12);
    compare(DType::F32, Layout::Plain, 1e-5);
}

#[test]
fn strided_inputs_are_taken() {
    compare(DType::F64, Layout::Strided, 1e-12);
}

#[test]
fn the_portable_path_agrees_with_pytorch() {
    let _guard = nn::force_portable();
    compare(DType::F64, Layout::Plain, 1e-12);
    compare(DType::F64, Layout::Strided, 1e-12);
    compare(DType::F32, Layout::Plain, 1e-5);
}

/// A skip reads a value twice: both gradients must arrive.
#[test]
fn gradients_of_several_consumers_add_up() -> Result<()> {
    for portable in [false, true] {
        let _guard = portable.then(nn::force_portable);
        let x = Var::new(&[[[1.0f32, 2.0]]], &Device::Cpu)?;
        let up = nn::upsample(&x, &[4], Interpolation::Nearest)?;
        let y = ((nn::crop(&up, &[0], &[2])? * x.as_tensor())? * 3.0)?.sum_all()?;
        let grad = y.backward()?.get(x.as_tensor()).expect("x has a gradient").flatten_all()?.to_vec1::<f32>()?;
        // y = 3·x₀·x₀ + 3·x₀·x₁
        assert_eq!(grad, [12.0, 3.0]);
    }
    Ok(())
}

/// Moments of a batch, for the running statistics: the variance is unbiased.
#[test]
fn batch_moments_are_returned() -> Result<()> {
    let x = Tensor::new(&[[1.0f64, 10.0], [2.0, 10.0], [6.0, 40.0]], &Device::Cpu)?;
    let zeros = Tensor::zeros(2, DType::F64, &Device::Cpu)?;
    let op = BatchNorm { eps: 1e-5, momentum: 0.1, affine: false, weight_init: 1.0, bias_init: 0.0 };
    for portable in [false, true] {
        let _guard = portable.then(nn::force_portable);
        let (_, moments) = nn::batch_norm(&x, None, None, &zeros, &zeros, &op, true)?;
        let moments = moments.expect("training gives moments");
        assert!(distance(&moments.mean, &Tensor::new(&[3.0, 20.0], &Device::Cpu)?)? < 1e-15);
        assert!(distance(&moments.var, &Tensor::new(&[7.0, 300.0], &Device::Cpu)?)? < 1e-15);
        let one = x.narrow(0, 0, 1)?;
        assert!(nn::batch_norm(&one, None, None, &zeros, &zeros, &op, true).is_err(), "one value has no variance");
    }
    Ok(())
}

/// Noise depends on the seed alone, on every device alike, and gradients follow it.
#[test]
fn noise_is_seeded() -> Result<()> {
    let x = Var::ones((4, 3, 5), DType::F32, &Device::Cpu)?;
    let r = (x.as_tensor() * 2.0)?;
    let functions: [&dyn Fn(u64) -> Result<Tensor>; 3] =
        [&|seed| nn::dropout(&x, 0.5, seed), &|seed| nn::drop_path(&x, 0.5, seed), &|seed| {
            nn::add_drop_path(&x, &r, 0.5, 0.5, seed)
        }];
    for f in functions {
        let (y, other) = (f(7)?, f(8)?);
        let portable = {
            let _guard = nn::force_portable();
            f(7)?
        };
        let flat = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
        assert_eq!(flat(&y)?, flat(&portable)?);
        assert_ne!(flat(&y)?, flat(&other)?);
        // Everything is linear in x, which is 1: the gradient is the value.
        assert_eq!(flat(y.sum_all()?.backward()?.get(x.as_tensor()).expect("x has a gradient"))?, flat(&y)?);
    }
    Ok(())
}
