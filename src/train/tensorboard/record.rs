//! Event files: records with checksums, each written whole.
//!
//! A record is the length of its data (8 bytes, little endian), the masked CRC-32C of those 8 bytes, the data, and the masked
//! CRC-32C of the data, as TensorFlow's `core/lib/io/record_writer.h` has it. Readers stop at a record that is cut short.

use super::proto::Message;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The reversed polynomial of CRC-32C (Castagnoli et al. 1993).
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// The checksum of each byte.
const TABLE: [u32; 256] = table();

/// What readers know an event file of this kind by.
const VERSION: &str = "brain.Event:2";

/// An event file that is being written.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// A new file in a folder, made where it is not there. Its name begins with the time, so that the files of a run that was
    /// stopped and gone on with are read in their order.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn create(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let seconds = now() as u64;
        for number in 0..1000 {
            let path = folder.join(format!("events.out.tfevents.{seconds:010}.{number}.archc"));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    let mut events = Self { path, file };
                    events.add(0, |event| event.text(3, VERSION))?;
                    return Ok(events);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("every name is taken"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds an event of this moment: `fill` writes what happened. It goes to the file in one piece, so that a process that is
    /// killed leaves at most the last record cut short.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn add(&mut self, step: usize, fill: impl FnOnce(Message) -> Message) -> io::Result<()> {
        let event = Message::default().double(1, now()).int(2, step as i64);
        self.file.write_all(&record(&fill(event).into_bytes()))
    }
}

/// Data with its length and checksums.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let sums = [&length, data].map(|part| masked(crc32c(part)).to_le_bytes());
    [&length, sums[0].as_slice(), data, &sums[1]].concat()
}

/// Checksums of data that hold checksums are less likely to be right by chance when each is turned and moved.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

fn crc32c(data: &[u8]) -> u32 {
    let next = |crc: u32, &byte: &u8| TABLE[(crc as u8 ^ byte) as usize] ^ (crc >> 8);
    !data.iter().fold(!0, next)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, B.4, and the check value of the catalogue of CRCs.
    #[test]
    fn checksums_are_the_published_ones() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn each_file_has_a_name_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        let paths = [0; 3].map(|_| EventFile::create(&folder).unwrap().path().to_owned());
        assert!(paths[0] < paths[1] && paths[1] < paths[2], "{paths:?}");
        let bytes = std::fs::read(&paths[0]).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        assert_eq!(bytes.len(), length + 16);
        assert!(bytes.windows(VERSION.len()).any(|part| part == VERSION.as_bytes()));
    }
}
