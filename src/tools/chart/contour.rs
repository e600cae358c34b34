//! Where a function on a grid crosses a level (marching squares, Lorensen and Cline 1987 in two dimensions).

use std::collections::BTreeMap;

/// A function on a grid of rising coordinates.
pub struct Grid<'a> {
    xs: &'a [f64],
    ys: &'a [f64],
    values: &'a [Vec<f64>],
}

/// An edge between two neighbouring nodes: row and column of the lower left one, and whether it runs upwards.
type Edge = (isize, isize, bool);

/// A place.
type Point = (f64, f64);

impl<'a> Grid<'a> {
    /// A grid of at least two rows and columns; `values` has a row for each of `ys`, with a number for each of `xs`.
    pub fn new(xs: &'a [f64], ys: &'a [f64], values: &'a [Vec<f64>]) -> Option<Self> {
        let whole = values.len() == ys.len() && values.iter().all(|row| row.len() == xs.len());
        (whole && xs.len() > 1 && ys.len() > 1).then_some(Self { xs, ys, values })
    }

    /// The function at a node; outside of the grid it is lower than everything, and where it is no number, higher.
    fn value(&self, row: isize, column: isize) -> f64 {
        let inside = |at: isize, len: usize| usize::try_from(at).ok().filter(|&at| at < len);
        let (row, column) = (inside(row, self.ys.len()), inside(column, self.xs.len()));
        match (row, column) {
            (Some(row), Some(column)) => {
                let value = self.values[row][column];
                if value.is_finite() { value } else { f64::MAX }
            }
            _ => f64::NEG_INFINITY,
        }
    }

    /// The place of a node; those around the grid lie on its border.
    fn place(&self, row: isize, column: isize) -> Point {
        let clamped = |at: isize, len: usize| at.clamp(0, len as isize - 1) as usize;
        (self.xs[clamped(column, self.xs.len())], self.ys[clamped(row, self.ys.len())])
    }

    /// Where the function crosses the level on an edge.
    fn crossing(&self, (row, column, up): Edge, level: f64) -> Point {
        let (to_row, to_column) = if up { (row + 1, column) } else { (row, column + 1) };
        let (a, b) = (self.value(row, column), self.value(to_row, to_column));
        let ((x0, y0), (x1, y1)) = (self.place(row, column), self.place(to_row, to_column));
        let share = ((level - a) / (b - a)).clamp(0.0, 1.0);
        let share = if share.is_finite() { share } else { 0.5 };
        (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share)
    }

    /// The pieces of the level's line in the cell above and right of a node, from edge to edge, with what is higher on the left.
    fn pieces(&self, row: isize, column: isize, level: f64) -> Vec<(Edge, Edge)> {
        let corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)];
        let values = corners.map(|(r, c)| self.value(r, c));
        let high = values.map(|v| v >= level);
        let edges = [(row, column, false), (row, column + 1, true), (row + 1, column, false), (row, column, true)];
        // Around the cell against the clock, edge i leads from corner i to the next. A piece ends where that goes
        // down from high to low, and starts where it goes up.
        let starts = (0..4).filter(|&i| high[i] && !high[(i + 1) % 4]);
        let ends: Vec<usize> = (0..4).filter(|&i| !high[i] && high[(i + 1) % 4]).collect();
        let joined = ends.len() == 2 && values.iter().sum::<f64>() / 4.0 >= level;
        let partner = |start: usize| match (ends.as_slice(), joined) {
            // Of two, the piece goes round the low corner where the middle is high, else round the high one.
            ([_, _], true) => ends.iter().copied().find(|&e| e == (start + 1) % 4),
            ([_, _], false) => ends.iter().copied().find(|&e| e == (start + 3) % 4),
            (ends, _) => ends.first().copied(),
        };
        starts.filter_map(|start| Some((edges[start], edges[partner(start)?]))).collect()
    }
}

/// The lines on which the function has this value; those that meet themselves end where they start.
pub fn isolines(grid: &Grid, level: f64) -> Vec<Vec<Point>> {
    traced(grid, level, 0)
}

/// The outlines of all that is at or above a level, closed along the grid's border; holes run the other way round.
pub fn rings(grid: &Grid, level: f64) -> Vec<Vec<Point>> {
    traced(grid, level, 1)
}

/// Lines of a level over the grid's cells and as many more around it.
fn traced(grid: &Grid, level: f64, around: isize) -> Vec<Vec<Point>> {
    let (rows, columns) = (grid.ys.len() as isize - 1 + around, grid.xs.len() as isize - 1 + around);
    let mut next: BTreeMap<Edge, Edge> = BTreeMap::new();
    for row in -around..rows {
        for column in -around..columns {
            next.extend(grid.pieces(row, column, level));
        }
    }
    let inner: std::collections::BTreeSet<Edge> = next.values().copied().collect();
    let open: Vec<Edge> = next.keys().filter(|edge| !inner.contains(edge)).copied().collect();
    let mut lines = Vec::new();
    let mut follow = |start: Edge, next: &mut BTreeMap<Edge, Edge>| {
        let (mut line, mut at) = (vec![grid.crossing(start, level)], start);
        while let Some(to) = next.remove(&at) {
            line.push(grid.crossing(to, level));
            at = to;
        }
        lines.push(line);
    };
    open.into_iter().for_each(|start| follow(start, &mut next));
    while let Some((&start, _)) = next.first_key_value() {
        follow(start, &mut next);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(n: usize, f: impl Fn(f64, f64) -> f64) -> (Vec<f64>, Vec<Vec<f64>>) {
        let at: Vec<f64> = (0..n).map(|i| 2.0 * i as f64 / (n - 1) as f64 - 1.0).collect();
        let values = at.iter().map(|&y| at.iter().map(|&x| f(x, y)).collect()).collect();
        (at, values)
    }

    /// The area that a closed line encloses; against the clock it counts as positive.
    fn area(ring: &[Point]) -> f64 {
        ring.windows(2).map(|w| w[0].0 * w[1].1 - w[1].0 * w[0].1).sum::<f64>() / 2.0
    }

    #[test]
    fn a_cone_has_circles() {
        let (at, values) = grid(41, f64::hypot);
        let grid = Grid::new(&at, &at, &values).unwrap();
        let lines = isolines(&grid, 0.5);
        let [circle] = &lines[..] else { panic!("{} lines", lines.len()) };
        assert_eq!(circle.first(), circle.last());
        assert!(circle.iter().all(|(x, y)| (x.hypot(*y) - 0.5).abs() < 2e-3));
        assert!((area(circle) + std::f64::consts::PI / 4.0).abs() < 1e-2, "what is high lies left of the line");
    }

    #[test]
    fn a_plane_is_cut_by_a_straight_line() {
        let (at, values) = grid(5, |x, y| x + 2.0 * y);
        let grid = Grid::new(&at, &at, &values).unwrap();
        let lines = isolines(&grid, 0.25);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].iter().all(|(x, y)| (x + 2.0 * y - 0.25).abs() < 1e-12));
        assert_ne!(lines[0].first(), lines[0].last());
    }

    #[test]
    fn regions_have_the_areas_of_what_is_high() {
        type Case = (&'static str, fn(f64, f64) -> f64, f64, f64);
        let cases: [Case; 4] = [
            ("everything", |_, _| 1.0, 0.5, 4.0),
            ("nothing", |_, _| 0.0, 0.5, 0.0),
            ("a half", |x, _| x, 0.0, 2.0),
            ("all but a disc", f64::hypot, 0.5, 4.0 - std::f64::consts::PI / 4.0),
        ];
        for (name, f, level, want) in cases {
            let (at, values) = grid(41, f);
            let found: f64 = rings(&Grid::new(&at, &at, &values).unwrap(), level).iter().map(|r| area(r)).sum();
            assert!((found - want).abs() < 1e-2, "{name}: {found}");
        }
    }

    #[test]
    fn saddles_and_holes_leave_no_line_open() {
        let (at, mut values) = grid(12, |x, y| (9.0 * x).sin() * (7.0 * y).cos());
        values[3][4] = f64::NAN;
        values[0][0] = f64::INFINITY;
        let grid = Grid::new(&at, &at, &values).unwrap();
        for level in [-0.9, -0.1, 0.0, 0.3, 5.0] {
            let rings = rings(&grid, level);
            assert!(!rings.is_empty());
            assert!(rings.iter().all(|ring| ring.len() > 2 && ring.first() == ring.last()), "at {level}");
            assert!(rings.iter().flatten().all(|(x, y)| x.abs() <= 1.0 && y.abs() <= 1.0));
        }
    }

    #[test]
    fn what_is_no_grid_is_refused() {
        assert!(Grid::new(&[0.0], &[0.0], &[vec![1.0]]).is_none());
        assert!(Grid::new(&[0.0, 1.0], &[0.0, 1.0], &[vec![1.0], vec![1.0, 2.0]]).is_none());
    }
}
