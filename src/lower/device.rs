//! Where a network runs: `cpu`, `cuda`, `cuda:1`.

use crate::base::{Fault, codes};
use candle_core::Device;

/// The device that `--device` names.
///
/// # Errors
/// `E0901` where the name is none, where this build has no CUDA, or where there is no such GPU.
pub fn parse(name: &str) -> Result<Device, Box<Fault>> {
    match name {
        "cpu" => Ok(Device::Cpu),
        "cuda" => cuda(0),
        other => match other.strip_prefix("cuda:").map(str::parse::<usize>) {
            Some(Ok(ordinal)) => cuda(ordinal),
            _ => {
                let message = format!("there is no device named `{other}`");
                Err(Box::new(Fault::new(codes::NO_DEVICE, message).help("write `cpu`, `cuda` or `cuda:1`")))
            }
        },
    }
}

/// The name under which a device is asked for.
pub fn name(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => "cpu".into(),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

fn cuda(ordinal: usize) -> Result<Device, Box<Fault>> {
    if !cfg!(feature = "cuda") {
        let message = "this build of archc has no CUDA";
        let help = "build it with `cargo build --release --features cuda`, or use `--device cpu`";
        return Err(Box::new(Fault::new(codes::NO_DEVICE, message).help(help)));
    }
    // A driver library that is missing makes candle's loader panic rather than report an error.
    let device = std::panic::catch_unwind(|| Device::new_cuda(ordinal));
    let reason = match device {
        Ok(Ok(device)) => return Ok(device),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the CUDA driver library could not be loaded".into(),
    };
    Err(Box::new(
        Fault::new(codes::NO_DEVICE, format!("there is no GPU `cuda:{ordinal}` here"))
            .help("`nvidia-smi` lists the GPUs; `--device cpu` runs without one")
            .note(reason),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_cpu_and_refuses_strangers() {
        assert!(matches!(parse("cpu"), Ok(Device::Cpu)));
        for bad in ["gpu", "cuda:", "cuda:-1", "cuda:x", ""] {
            assert_eq!(parse(bad).unwrap_err().code, codes::NO_DEVICE, "{bad}");
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn says_that_the_feature_is_missing() {
        let fault = parse("cuda:1").unwrap_err();
        assert_eq!(fault.code, codes::NO_DEVICE);
        assert!(fault.help.as_ref().unwrap().contains("--features cuda"));
    }
}
