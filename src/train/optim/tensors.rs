//! The update formulas as tensor operations, for devices other than the CPU. See `rules` for the formulas.

use super::Update;
use crate::elaborate::recipe::Optimizer as Settings;
use candle_core::{Result, Tensor, Var};

/// Updates `var` from its gradient. `slots` are in the order of [`super::slots`].
pub fn update(update: &Update, var: &Var, gradient: &Tensor, slots: &mut [Tensor]) -> Result<()> {
    let p = var.as_detached_tensor();
    let new = match *update.settings {
        Settings::Sgd { momentum, dampening, weight_decay, nesterov, .. } => {
            let g = decayed(gradient, &p, weight_decay)?;
            let direction = match slots {
                [buffer] => {
                    *buffer = if update.count == 1 { g.clone() } else { blend(buffer, momentum, &g, 1.0 - dampening)? };
                    if nesterov { (&g + (&*buffer * momentum)?)? } else { buffer.clone() }
                }
                _ => g,
            };
            (&p - (direction * update.rate)?)?
        }
        Settings::Adam { betas, eps, weight_decay, .. } => {
            let g = decayed(gradient, &p, weight_decay)?;
            (&p - adam(update, &g, betas, eps, slots)?)?
        }
        Settings::AdamW { betas, eps, weight_decay, .. } => {
            ((&p * (1.0 - update.rate * weight_decay))? - adam(update, gradient, betas, eps, slots)?)?
        }
        Settings::RmsProp { alpha, eps, weight_decay, centered, momentum, .. } => {
            let g = decayed(gradient, &p, weight_decay)?;
            (&p - (rmsprop(&g, [alpha, eps, momentum], centered, slots)? * update.rate)?)?
        }
    };
    var.set(&new)
}

/// `g + λp`.
fn decayed(gradient: &Tensor, p: &Tensor, decay: f64) -> Result<Tensor> {
    if decay == 0.0 { Ok(gradient.clone()) } else { gradient + (p * decay)? }
}

/// `a·x + b·y`.
fn blend(x: &Tensor, a: f64, y: &Tensor, b: f64) -> Result<Tensor> {
    (x * a)? + (y * b)?
}

fn adam(update: &Update, g: &Tensor, betas: [f64; 2], eps: f64, slots: &mut [Tensor]) -> Result<Tensor> {
    let corrections = betas.map(|beta| 1.0 - beta.powf(update.count as f64));
    slots[0] = blend(&slots[0], betas[0], g, 1.0 - betas[0])?;
    slots[1] = blend(&slots[1], betas[1], &g.sqr()?, 1.0 - betas[1])?;
    if let [_, v, largest] = slots {
        *largest = largest.maximum(&*v)?;
    }
    let second = slots.get(2).unwrap_or(&slots[1]);
    let root = ((second.sqrt()? / corrections[1].sqrt())? + eps)?;
    (&slots[0] / root)? * (update.rate / corrections[0])
}

fn rmsprop(g: &Tensor, [alpha, eps, momentum]: [f64; 3], centered: bool, slots: &mut [Tensor]) -> Result<Tensor> {
    slots[0] = blend(&slots[0], alpha, &g.sqr()?, 1.0 - alpha)?;
    let mut spread = slots[0].clone();
    if centered {
        slots[1] = blend(&slots[1], alpha, g, 1.0 - alpha)?;
        spread = (spread - slots[1].sqr()?)?;
    }
    let scaled = (g / (spread.sqrt()? + eps)?)?;
    match slots.get_mut(1 + usize::from(centered)) {
        Some(buffer) => {
            *buffer = blend(buffer, momentum, &scaled, 1.0)?;
            Ok(buffer.clone())
        }
        None => Ok(scaled),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{slots, state::Memory};
    use super::*;
    use candle_core::Device;

    /// Every optimizer gives the same weights over slices and over tensors.
    #[test]
    fn both_paths_agree() -> Result<()> {
        let betas = [0.8, 0.95];
        let all = [
            Settings::Sgd { lr: 0.1, momentum: 0.0, dampening: 0.0, weight_decay: 0.1, nesterov: false },
            Settings::Sgd { lr: 0.1, momentum: 0.9, dampening: 0.3, weight_decay: 0.1, nesterov: false },
            Settings::Sgd { lr: 0.1, momentum: 0.9, dampening: 0.0, weight_decay: 0.1, nesterov: true },
            Settings::Adam { lr: 0.1, betas, eps: 1e-8, weight_decay: 0.1, amsgrad: false },
            Settings::AdamW { lr: 0.1, betas, eps: 1e-8, weight_decay: 0.1, amsgrad: true },
            Settings::RmsProp { lr: 0.1, alpha: 0.9, eps: 1e-8, weight_decay: 0.1, momentum: 0.5, centered: true },
            Settings::RmsProp { lr: 0.1, alpha: 0.9, eps: 1e-8, weight_decay: 0.0, momentum: 0.0, centered: false },
        ];
        for settings in &all {
            let start = [1.0f64, -2.0, 0.5];
            let (a, b) = (Var::new(&start, &Device::Cpu)?, Var::new(&start, &Device::Cpu)?);
            let count = slots(settings).len();
            let mut fused = Memory::new(&a, count)?;
            let mut tensors = (0..count).map(|_| b.zeros_like()).collect::<Result<Vec<_>>>()?;
            for step in 1..=4u64 {
                let g = Tensor::new(&[0.3 * step as f64, -1.0, 0.1 / step as f64], &Device::Cpu)?;
                let next = Update { settings, rate: 0.1, count: step };
                fused.apply(&next, &a, &g)?;
                update(&next, &b, &g, &mut tensors)?;
            }
            let (a, b) = (a.to_vec1::<f64>()?, b.to_vec1::<f64>()?);
            assert!(a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-12), "{settings:?}: {a:?} {b:?}");
            assert!(a.iter().zip(&start).all(|(x, y)| (x - y).abs() > 1e-3), "{settings:?} did not move");
        }
        Ok(())
    }
}
