//! How much memory could be had?

use std::path::{Path, PathBuf};

/// Bytes that this process could have now without swapping: what is free, within the limits of its control group and of
/// its address space. `None` where the system does not say (it does on Linux).
pub fn available() -> Option<u64> {
    let free = free(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    let bounds = [group_left(), address_left()];
    Some(bounds.into_iter().flatten().fold(free, u64::min))
}

fn free(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

/// What the control group (version 2) leaves; pages that only cache files do not count as used.
fn group_left() -> Option<u64> {
    let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::"))?.trim_start_matches('/').to_string();
    let root = Path::new("/sys/fs/cgroup");
    let folder = root.join(own);
    let folders: Vec<PathBuf> =
        folder.ancestors().filter(|path| path.starts_with(root)).map(Path::to_path_buf).collect();
    let number = |path: PathBuf| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let left = |folder: &PathBuf| {
        let limit = number(folder.join("memory.max"))?;
        let used = number(folder.join("memory.current"))?;
        let about = std::fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
        let cache = about.lines().find_map(|line| line.strip_prefix("inactive_file ")?.trim().parse::<u64>().ok());
        Some(limit.saturating_sub(used.saturating_sub(cache.unwrap_or(0))))
    };
    folders.iter().filter_map(left).min()
}

/// What the limit of the address space (`ulimit -v`) leaves.
fn address_left() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let used = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    let used = used.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10;
    Some(limit.saturating_sub(used))
}

/// Reads `2G`, `512M`, `1.5GiB` or a number of bytes.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * (1u64 << shift) as f64;
    (bytes.is_finite() && bytes >= 1.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(parse("2G"), Some(2 << 30));
        assert_eq!(parse("1.5 GiB"), Some(3 << 29));
        assert_eq!((parse("4096"), parse("16k"), parse("3mb")), (Some(4096), Some(16 << 10), Some(3 << 20)));
        assert_eq!((parse("much"), parse("0"), parse("2 x")), (None, None, None));
    }

    #[test]
    fn what_is_free_is_read() {
        assert_eq!(free("MemTotal: 5 kB\nMemAvailable:     2048 kB\n"), Some(2 << 20));
        assert!(!cfg!(target_os = "linux") || available().is_some_and(|bytes| bytes > 1 << 20));
    }
}
