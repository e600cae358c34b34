//! Classes of many files as one table, CSV or JSON: the likeliest of each sample, or those of its pixels.

use crate::cli::answer::Ranked;
use archc::base::atomic;
use archc::train::data::DataError;
use serde_json::json;
use std::path::Path;

/// Rows, in the order in which files were answered about.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

/// What the number beside a class is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// How likely the class is.
    Probability,
    /// How much of the pixels is of the class.
    Share,
}

impl Part {
    const ALL: [Self; 2] = [Self::Probability, Self::Share];

    /// The column.
    fn word(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::Share => "share",
        }
    }
}

/// One class of one sample.
#[derive(Clone, Debug)]
struct Row {
    file: String,
    output: String,
    rank: usize,
    part: Part,
    ranked: Ranked,
}

impl Table {
    /// Adds the classes of each sample that a file gave.
    pub fn add(&mut self, file: &str, output: &str, part: Part, samples: &[Vec<Ranked>]) {
        for (i, sample) in samples.iter().enumerate() {
            let file = if samples.len() > 1 { format!("{file}[{i}]") } else { file.to_string() };
            let row = |(rank, ranked): (usize, &Ranked)| Row {
                file: file.clone(),
                output: output.to_string(),
                rank: rank + 1,
                part,
                ranked: ranked.clone(),
            };
            self.rows.extend(sample.iter().enumerate().map(row));
        }
    }

    /// Writes it by the path's ending.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let text = if json { self.json() } else { self.csv() };
        atomic::write_bytes(path, text.as_bytes()).map_err(|error| DataError::io(path, &error))
    }

    /// The columns of numbers: what is not known of a row is empty there.
    fn parts(&self) -> Vec<Part> {
        let there = |part: &Part| self.rows.iter().any(|row| row.part == *part);
        let parts: Vec<Part> = Part::ALL.into_iter().filter(there).collect();
        if parts.is_empty() { vec![Part::Probability] } else { parts }
    }

    /// `file,rank,class,name,probability` (or `share`, of pixels), and `output` where there are several.
    fn csv(&self) -> String {
        let (several, parts) = (self.several(), self.parts());
        let words: Vec<&str> = parts.iter().map(|part| part.word()).collect();
        let mut text = format!("file,rank,class,name,{}", words.join(","));
        text += if several { ",output\r\n" } else { "\r\n" };
        for Row { file, output, rank, part, ranked } in &self.rows {
            let name = ranked.name.as_deref().unwrap_or_default();
            let share = |own: &Part| if own == part { format!("{:.6}", ranked.share) } else { String::new() };
            let shares = parts.iter().map(share).collect::<Vec<_>>().join(",");
            text += &format!("{},{rank},{},{},{shares}", quoted(file), ranked.class, quoted(name));
            if several {
                text += &format!(",{}", quoted(output));
            }
            text += "\r\n";
        }
        text
    }

    /// A list with an object for each row.
    fn json(&self) -> String {
        let several = self.several();
        let row = |Row { file, output, rank, part, ranked }: &Row| {
            let Ranked { class, name, share } = ranked;
            let mut row = json!({ "file": file, "rank": rank, "class": class, "name": name, part.word(): share });
            if several {
                row["output"] = json!(output);
            }
            row
        };
        let rows = self.rows.iter().map(|it| format!("  {}", row(it))).collect::<Vec<_>>();
        format!("[\n{}\n]\n", rows.join(",\n"))
    }

    fn several(&self) -> bool {
        self.rows.first().is_some_and(|first| self.rows.iter().any(|row| row.output != first.output))
    }
}

/// A field as RFC 4180 has it.
fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn table(outputs: &[&str]) -> Table {
        let mut table = Table::default();
        let class = |class, name: &str, share| Ranked { class, name: Some(name.into()), share };
        for output in outputs {
            let part = if *output == "mask" { Part::Share } else { Part::Probability };
            table.add("a, \"b\".png", output, part, &[vec![class(1, "cat", 0.75), class(0, "dog", 0.25)]]);
        }
        table
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let text = "file,rank,class,name,probability\r\n\"a, \"\"b\"\".png\",1,1,cat,0.750000\r\n\
                    \"a, \"\"b\"\".png\",2,0,dog,0.250000\r\n";
        assert_eq!(table(&["y"]).csv(), text);
        assert!(table(&["y", "aux"]).csv().starts_with("file,rank,class,name,probability,output\r\n"));
    }

    #[test]
    fn shares_of_pixels_are_no_probabilities() {
        assert!(table(&["mask"]).csv().starts_with("file,rank,class,name,share\r\n"));
        let both = table(&["y", "mask"]).csv();
        assert!(both.starts_with("file,rank,class,name,probability,share,output\r\n"), "{both}");
        assert!(both.contains(",cat,0.750000,,y\r\n") && both.contains(",cat,,0.750000,mask\r\n"), "{both}");
        assert!(table(&["mask"]).json().contains("\"share\":0.75"));
    }

    #[test]
    fn json_is_a_list() {
        let list: Value = serde_json::from_str(&table(&["y"]).json()).unwrap();
        let first = json!({ "file": "a, \"b\".png", "rank": 1, "class": 1, "name": "cat", "probability": 0.75 });
        assert_eq!((&list[0], list.as_array().unwrap().len()), (&first, 2));
        assert_eq!(serde_json::from_str::<Value>(&Table::default().json()).unwrap(), json!([]));
    }
}
