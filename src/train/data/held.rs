//! What is held out of data that come as one.

use crate::base::Rng;
use crate::base::hash::stable_hash;
use serde::{Deserialize, Serialize};

/// One file in so many is held out.
const ONE_IN: u64 = 5;

/// How data that come as one are divided into what is learnt from and what is measured on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// About a fifth, each file by its own name alone: adding a file moves no other.
    #[default]
    ByName,
    /// A fifth of each class, drawn from the files that are there: how runs were made that do not say how.
    Drawn,
    /// Nothing: all is measured on.
    Nothing,
}

impl Holding {
    /// What a run means that does not say it.
    pub fn unsaid() -> Self {
        Holding::Drawn
    }

    /// Divides the files of a group (a class, or all pairs) into those to learn from and those held out. `key` is a file's path
    /// below the group's folder, the same on every machine.
    pub fn divide<T>(self, mut files: Vec<T>, group: &str, key: impl Fn(&T) -> &str) -> (Vec<T>, Vec<T>) {
        match self {
            Holding::Nothing => (files, Vec::new()),
            Holding::ByName => files.into_iter().partition(|file| !is_held(key(file))),
            Holding::Drawn => {
                Rng::derive(0, &format!("split {group}")).shuffle(&mut files);
                let count = if files.len() < 2 { 0 } else { (files.len() / 5).max(1) };
                let train = files.split_off(count);
                (train, files)
            }
        }
    }
}

fn is_held(key: &str) -> bool {
    stable_hash(key.bytes()).is_multiple_of(ONE_IN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(names: &[String]) -> Vec<String> {
        Holding::ByName.divide(names.to_vec(), "", |name| name).1
    }

    #[test]
    fn a_file_more_moves_no_other_and_a_fifth_is_held() {
        let names: Vec<String> = (0..5000).map(|i| format!("IMG_{i:04}.jpg")).collect();
        let all = held(&names);
        assert!((900..1100).contains(&all.len()), "{}", all.len());
        for count in [1, 17, 400] {
            let few = held(&names[..count]);
            assert_eq!(few, all.iter().filter(|name| names[..count].contains(name)).cloned().collect::<Vec<_>>());
        }
        // Part of what a run means: these never change.
        let digits: Vec<String> = (0..20).map(|i| format!("{i}.png")).collect();
        assert_eq!(held(&digits), ["0.png", "9.png"]);
    }

    #[test]
    fn older_runs_keep_their_rule() {
        let (train, test) = Holding::Drawn.divide((0..10).map(|i| i.to_string()).collect(), "cat", |name| name);
        assert_eq!((train.len(), test.len()), (8, 2));
        assert_eq!(Holding::Nothing.divide(vec!["a"], "cat", |name| name), (vec!["a"], vec![]));
    }
}
