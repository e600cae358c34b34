//! Charts: drawn whole, the same every time, and within their page.

use archc::tools::chart::{Axis, BarSeries, Bars, Body, Figure, Heat, Hue, Ink, Panel, Series, Stroke, Surface};

fn curve(name: &str, hue: Hue, stroke: Stroke, f: impl Fn(f64) -> f64) -> Series {
    let points = (0..=20).map(|i| (f64::from(i), f(f64::from(i)))).collect();
    Series { name: name.into(), ink: hue.into(), stroke, points }
}

fn names(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{prefix}{i}")).collect()
}

fn lines() -> Panel {
    let gap = curve("with a gap", Hue::Green, Stroke::Dotted, |x| if x == 9.0 { f64::NAN } else { 1e-4 * (1.0 + x) });
    let falling = curve("with skips", Hue::Blue, Stroke::Solid, |x| (-x / 3.0).exp());
    let faint = Ink { hue: Hue::Orange, strength: 0.4 };
    let zero = Series { ink: faint, ..curve("0 has no logarithm", Hue::Orange, Stroke::Dashed, |x| x * 1e-3) };
    let body = Body::Lines(vec![falling, zero, gap]);
    Panel { title: "lines <&>".into(), x: Axis::new("epoch"), y: Axis::log("training loss"), body }
}

fn bars() -> Panel {
    let series = |name: &str, hue: Hue, first: f64| BarSeries {
        name: name.into(),
        ink: hue.into(),
        values: (0..9).map(|i| (i != 4).then_some(first - 7.0 * f64::from(i))).collect(),
    };
    let body = Body::Bars(Bars {
        groups: names("layer1.", 9),
        series: vec![series("with skips", Hue::Blue, 98.0), series("plain", Hue::Orange, 60.0)],
        levels: vec![("nothing removed".into(), 98.5, Hue::Grey.into())],
    });
    Panel { title: "bars".into(), x: Axis::new("block"), y: Axis::new("accuracy, %"), body }
}

fn heat() -> Panel {
    let values = (0..6).map(|row| (0..6).map(|c| (c <= row).then_some(1.0 / f64::from(1 + row - c))).collect());
    let (columns, rows) = (names("source", 6), names("layer", 6));
    let body = Body::Heat(Heat { columns, rows, values: values.collect(), label: "mean |w|".into(), range: None });
    Panel { title: "heat".into(), x: Axis::new("reads from"), y: Axis::new("layer"), body }
}

fn surface() -> Panel {
    let at: Vec<f64> = (0..25).map(|i| f64::from(i) / 12.0 - 1.0).collect();
    let f = |x: f64, y: f64| x * x + 2.0 * y * y + 0.4 * (6.0 * x).sin() * (5.0 * y).sin();
    let values = at.iter().map(|&y| at.iter().map(|&x| f(x, y)).collect()).collect();
    let levels = (0..10).map(|i| -0.2 + 0.3 * f64::from(i)).collect();
    let mark = Some((0.0, 0.0));
    let body = Body::Surface(Surface { xs: at.clone(), ys: at, values, levels, label: "loss".into(), mark });
    Panel { title: "surface".into(), x: Axis::new("first direction"), y: Axis::new("second direction"), body }
}

fn figure(panels: Vec<Panel>) -> Figure {
    let columns = panels.len().min(2);
    let (title, subtitle) = ("What a chart can show".into(), "a gallery · seed 1".into());
    let note = "A note is wrapped where it ends. ".repeat(8);
    Figure { title, subtitle, panels, columns, size: (440.0, 320.0), note }
}

#[test]
fn a_gallery_is_drawn_as_it_was() {
    insta::assert_snapshot!("gallery", figure(vec![lines(), bars(), heat(), surface()]).svg());
}

#[test]
fn what_is_empty_is_drawn_empty() {
    let bodies = [
        Body::Lines(Vec::new()),
        Body::Lines(vec![curve("nothing", Hue::Blue, Stroke::Solid, |_| f64::NAN)]),
        Body::Bars(Bars::default()),
        Body::Heat(Heat::default()),
        Body::Surface(Surface::default()),
    ];
    for body in bodies {
        let text = figure(vec![Panel { body, ..Panel::default() }]).svg();
        assert!(text.ends_with("</svg>\n") && !text.contains("NaN") && !text.contains("inf"), "{text}");
    }
    assert!(figure(Vec::new()).svg().contains("<title>What a chart can show</title>"));
}

#[test]
fn shapes_stay_on_the_page() {
    let text = figure(vec![lines(), bars(), heat(), surface()]).svg();
    let (_, after) = text.split_once("viewBox=\"0 0 ").unwrap();
    let size: Vec<i64> = after.split_once('"').unwrap().0.split(' ').map(|n| n.parse().unwrap()).collect();
    for points in text.split("points=\"").skip(1) {
        for pair in points.split_once('"').unwrap().0.split_whitespace() {
            let (x, y) = pair.split_once(',').unwrap();
            let inside = (0..=size[0]).contains(&x.parse().unwrap()) && (0..=size[1]).contains(&y.parse().unwrap());
            assert!(inside, "{pair} lies outside of {size:?}");
        }
    }
}
