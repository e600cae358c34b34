//! Room for deep networks.

use super::error::{Error, Result};

/// Bytes of stack that [`with_stack`] gives; pages that are never touched cost nothing.
const STACK_BYTES: usize = 1 << 30;

/// Runs `work` on a thread with a stack for networks of some hundred thousand layers.
///
/// candle's `backward`, and the release of the values it kept, recurse once for each op between the loss
/// and the input. A thread's usual stack of 2 or 8 MiB ends after some thousand of them, which aborts
/// the process; whoever trains should do it in here.
///
/// # Errors
/// What `work` returns, or an internal error where no thread can be started. A panic of `work` goes on
/// in the caller.
pub fn with_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("archc-deep".into()).stack_size(STACK_BYTES);
        let started = thread.spawn_scoped(scope, work);
        let handle = started.map_err(|error| Error::internal(format!("no thread could be started: {error}")))?;
        handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor, Var};

    #[test]
    fn a_chain_of_100_000_ops_has_a_gradient() {
        let gradient = with_stack(|| {
            let x = Var::new(1f64, &Device::Cpu)?;
            let mut y: Tensor = x.as_tensor().clone();
            for _ in 0..100_000 {
                y = y.affine(1.0, 1.0)?;
            }
            let gradients = y.backward()?;
            Ok(gradients.get(&x).map(|g| g.to_scalar::<f64>()).transpose()?)
        });
        assert_eq!(gradient.unwrap(), Some(1.0));
    }
}
