//! Classes of many files as one table: CSV or JSON.

use crate::base::atomic;
use crate::cli::answer::Ranked;
use crate::train::data::DataError;
use serde_json::json;
use std::path::Path;

/// Rows, in the order in which files were answered about.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

/// One class of one sample.
#[derive(Clone, Debug)]
struct Row {
    file: String,
    output: String,
    rank: usize,
    ranked: Ranked,
}

impl Table {
    /// Adds the classes of each sample that a file gave.
    pub fn add(&mut self, file: &str, output: &str, samples: &[Vec<Ranked>]) {
        for (i, sample) in samples.iter().enumerate() {
            let file = if samples.len() > 1 { format!("{file}[{i}]") } else { file.to_string() };
            let row = |(rank, ranked): (usize, &Ranked)| Row {
                file: file.clone(),
                output: output.to_string(),
                rank: rank + 1,
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

    /// `file,rank,class,name,probability`, and `output` where there are several.
    fn csv(&self) -> String {
        let several = self.several();
        let mut text = String::from("file,rank,class,name,probability");
        text += if several { ",output\r\n" } else { "\r\n" };
        for Row { file, output, rank, ranked } in &self.rows {
            let name = ranked.name.as_deref().unwrap_or_default();
            text += &format!("{},{rank},{},{},{:.6}", quoted(file), ranked.class, quoted(name), ranked.share);
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
        let row = |Row { file, output, rank, ranked }: &Row| {
            let Ranked { class, name, share } = ranked;
            let mut row = json!({ "file": file, "rank": rank, "class": class, "name": name, "probability": share });
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
            table.add("a, \"b\".png", output, &[vec![class(1, "cat", 0.75), class(0, "dog", 0.25)]]);
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
    fn json_is_a_list() {
        let list: Value = serde_json::from_str(&table(&["y"]).json()).unwrap();
        let first = json!({ "file": "a, \"b\".png", "rank": 1, "class": 1, "name": "cat", "probability": 0.75 });
        assert_eq!((&list[0], list.as_array().unwrap().len()), (&first, 2));
        assert_eq!(serde_json::from_str::<Value>(&Table::default().json()).unwrap(), json!([]));
    }
}
