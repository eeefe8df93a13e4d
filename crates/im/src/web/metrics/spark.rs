//! Small charts beside a number: the course of its buckets, without axes.

use maud::{Markup, html};

use super::chart::{hatch, px};
use super::slots::State;
use super::words::place;

/// How it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Line,
    Bars,
}

/// A small chart of so many pixels; `most` is the top of its scale.
pub(super) fn spark(
    kind: Kind,
    values: &[Option<f64>],
    states: &[State],
    most: f64,
    height: f64,
) -> Markup {
    let most = if most > 0.0 { most } else { 1.0 };
    let points: Vec<(f64, Option<f64>, State)> = values
        .iter()
        .zip(states)
        .enumerate()
        .map(|(index, (value, state))| {
            let x = (place(index) + 0.5) / place(values.len().max(1)) * 100.0;
            let y = value.map(|value| height - (value / most).clamp(0.0, 1.0) * (height - 5.0));
            (x, y, *state)
        })
        .collect();
    html! {
        svg.spark aria-hidden="true" width="100%" height=(px(height + 1.0)) {
            @match kind {
                Kind::Line => (line(&points, height)),
                Kind::Bars => {
                    (hatch())
                    @let width = 60.0 / place(values.len().max(1));
                    @for (x, y, state) in &points {
                        @if let Some(y) = y.filter(|y| height - y > 0.0) {
                            rect class={ "bar c1 " (state.class()) } x={ (px(x - width / 2.0)) "%" } width={ (px(width)) "%" }
                                y=(px(y)) height=(px((height - y).max(1.0))) {}
                        }
                    }
                },
            }
            line.grid.zero x1="0" x2="100%" y1=(px(height)) y2=(px(height)) {}
        }
    }
}

fn line(points: &[(f64, Option<f64>, State)], height: f64) -> Markup {
    let segment = |open: bool| {
        let mut path = Vec::new();
        let mut area = Vec::new();
        let mut last = None;
        for (x, y, state) in points {
            let here = y.map(|y| (*x, y));
            if let (Some((x0, y0)), Some((x, y))) = (last, here) {
                let (x0, y0, x, y) = (px(x0), px(y0), px(x), px(y));
                area.push(format!("M{x0} {height}L{x0} {y0}L{x} {y}L{x} {height}Z"));
                if (*state == State::Open) == open {
                    path.push(format!("M{x0} {y0}L{x} {y}"));
                }
            }
            last = here;
        }
        (path.concat(), area.concat())
    };
    let ((solid, area), (open, _)) = (segment(false), segment(true));
    html! {
        svg viewBox={ "0 0 100 " (height) } preserveAspectRatio="none" width="100%" height=(px(height)) {
            path.shade d=(area) {}
            path.line.main d=(solid) {}
            path.line.main.open d=(open) {}
        }
        @let known: Vec<_> = points.iter().filter_map(|(x, y, state)| y.map(|y| (x, y, state))).collect();
        @for (index, (x, y, state)) in known.iter().enumerate() {
            @if index + 1 == known.len() || state.is_hollow() {
                circle class={ "point main" @if state.is_hollow() { " hollow" } } cx={ (px(**x)) "%" } cy=(px(*y)) r="3" {}
            }
        }
    }
}
