//! What every command that computes needs: a device, threads, and the words for failures.

use super::args::EngineName;
use super::shell::{Exit, Shell};
use archc::base::{Diagnostic, Fault, SourceMap};
use archc::lower::device;
use candle_core::Device;

/// The device of this name.
///
/// # Errors
/// Where there is none, after saying so.
pub fn device(name: &str, shell: &Shell) -> Result<Device, Exit> {
    device::parse(name).map_err(|fault| say(*fault, shell))
}

/// Threads that are taken on a machine of few cores, too: a plan may be made for another.
const MOST_THREADS: usize = 256;

/// Bounds the threads that kernels use; all cores where nothing is asked. Must come before any computing.
///
/// # Errors
/// [`Exit::Usage`] for 0 threads, and for more than any machine has a use for.
pub fn threads(asked: Option<usize>, shell: &Shell) -> Result<usize, Exit> {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let threads = asked.unwrap_or(cores);
    if threads == 0 {
        return Err(shell.usage("0 threads compute nothing", "--threads 1, or more"));
    }
    if threads > MOST_THREADS.max(8 * cores) {
        let text = format!("{threads} threads are more than this machine has a use for: it runs {cores} at once");
        return Err(shell.usage(&text, &format!("--threads {cores}")));
    }
    // A pool that exists already keeps its size: nothing computes before this in a command.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    Ok(threads)
}

/// Whether the engine that runs plans is to compute: on the CPU, unless the module is asked for.
///
/// # Errors
/// [`Exit::Usage`] where it is asked for on another device.
pub fn by_plan(asked: Option<EngineName>, device: &str, shell: &Shell) -> Result<bool, Exit> {
    match asked {
        Some(EngineName::Plan) if device != "cpu" => {
            let help = "leave out `--device`, or say `--engine candle`";
            Err(shell.usage(&format!("`--engine plan` computes on the CPU, not on `{device}`"), help))
        }
        asked => Ok(device == "cpu" && asked != Some(EngineName::Candle)),
    }
}

/// Says what failed in a command that read these sources, which the error may point into.
pub fn fail(error: impl Into<Diagnostic>, sources: &SourceMap, shell: &Shell) -> Exit {
    shell.report(&[error.into()].into_iter().collect(), sources);
    Exit::Errors
}

/// Says what is wrong outside any source text.
pub fn say(fault: Fault, shell: &Shell) -> Exit {
    shell.fault(&fault);
    Exit::Errors
}
