//! Boxes in rows, and arrows between them: layers by the longest path, few crossings by barycentres.
//!
//! Each arrow that spans rows gets a point in each of them, and a label is such a point that has a size: nothing lies over anything else.

use std::collections::BTreeMap;

use super::layers::layers;

/// Between things in a row.
const GAP: f64 = 22.0;
/// Between rows.
const ROW_GAP: f64 = 18.0;
/// How often rows are put in order, and moved.
const SWEEPS: usize = 12;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// An arrow to be laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The size of its label; nothing where it has none.
    pub(super) label: Size,
}

/// Where everything is.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) size: Size,
    /// The middle of each box.
    pub(super) boxes: Vec<Point>,
    /// The way of each arrow, from its beginning; of one that leads to where it begins nothing.
    pub(super) ways: Vec<Vec<Point>>,
    /// The middle of each label.
    pub(super) labels: Vec<Option<Point>>,
}

/// Something in a row: a box, or a point of an arrow.
#[derive(Clone, Debug, Default)]
struct Thing {
    row: usize,
    size: Size,
    x: f64,
    /// What it is connected with in the row above, and in the row below.
    near: [Vec<usize>; 2],
}

struct Laid {
    things: Vec<Thing>,
    rows: Vec<Vec<usize>>,
}

/// Lays it out.
pub(super) fn plan(sizes: &[Size], links: &[Link]) -> Plan {
    let pairs: Vec<_> = links.iter().map(|link| (link.from, link.to)).collect();
    let (layers, _) = layers(sizes.len(), &pairs);
    let row = |node: usize| layers.get(node).map_or(0, |layer| layer * 2);
    let boxes = sizes.iter().enumerate().map(|(node, size)| Thing { row: row(node), size: *size, ..Thing::default() });
    let mut laid = Laid { things: boxes.collect(), rows: Vec::new() };
    let chains: Vec<Chain> = links.iter().map(|link| laid.chain(link, row(link.from), row(link.to))).collect();
    laid.fill_rows();
    laid.order();
    laid.spread();
    laid.draw(sizes.len(), &chains)
}

/// The things along an arrow, from the top down.
struct Chain {
    things: Vec<usize>,
    label: Option<usize>,
    /// It begins at the bottom.
    is_up: bool,
}

impl Laid {
    fn chain(&mut self, link: &Link, from: usize, to: usize) -> Chain {
        let is_up = from > to;
        let (top, bottom) = if is_up { (link.to, link.from) } else { (link.from, link.to) };
        let rows = from.min(to) + 1..from.max(to);
        let has_label = link.label.width > 0.0;
        let at = if is_up { rows.end.saturating_sub(1) } else { rows.start };
        let (mut things, mut label) = (vec![top], None);
        if from == to {
            return Chain { things: Vec::new(), label, is_up };
        }
        for row in rows {
            let is_label = has_label && row == at;
            if is_label {
                label = Some(self.things.len());
            }
            things.push(self.things.len());
            self.things.push(Thing {
                row,
                size: if is_label { link.label } else { Size::default() },
                ..Thing::default()
            });
        }
        things.push(bottom);
        for pair in things.windows(2) {
            if let [above, below] = pair {
                self.connect(*above, 1, *below);
                self.connect(*below, 0, *above);
            }
        }
        Chain { things, label, is_up }
    }

    fn connect(&mut self, thing: usize, side: usize, other: usize) {
        let near = self.things.get_mut(thing).and_then(|thing| thing.near.get_mut(side));
        near.into_iter().for_each(|near| near.push(other));
    }

    fn near(&self, thing: usize, side: usize) -> &[usize] {
        self.things.get(thing).and_then(|thing| thing.near.get(side)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Puts everything into its row, what is connected near to each other: depth first.
    fn fill_rows(&mut self) {
        let count = self.things.iter().map(|thing| thing.row + 1).max().unwrap_or(0);
        self.rows = vec![Vec::new(); count];
        let mut seen = vec![false; self.things.len()];
        for root in 0..self.things.len() {
            let mut open = vec![root];
            while let Some(thing) = open.pop() {
                if std::mem::replace(seen.get_mut(thing).unwrap_or(&mut true), true) {
                    continue;
                }
                let row = self.things.get(thing).map_or(0, |thing| thing.row);
                self.rows.get_mut(row).into_iter().for_each(|row| row.push(thing));
                open.extend(self.near(thing, 1).iter().rev());
            }
        }
    }

    fn places(&self) -> BTreeMap<usize, f64> {
        let place = |(at, thing): (usize, &usize)| (*thing, f64::from(u32::try_from(at).unwrap_or(u32::MAX)));
        self.rows.iter().flat_map(|row| row.iter().enumerate().map(place)).collect()
    }

    /// Orders each row by where the neighbours are, downwards and upwards in turn, and keeps the best.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..SWEEPS {
            let side = sweep % 2;
            let count = self.rows.len();
            for step in 0..count {
                let at = if side == 0 { step } else { count - 1 - step };
                let places = self.places();
                let middle = |thing: &usize| {
                    let near = self.near(*thing, side);
                    mean(near.iter().filter_map(|other| places.get(other).copied()))
                        .unwrap_or_else(|| places.get(thing).copied().unwrap_or_default())
                };
                let mut row: Vec<_> = self.rows.get(at).into_iter().flatten().map(|one| (middle(one), *one)).collect();
                row.sort_by(|a, b| a.0.total_cmp(&b.0));
                let row = row.into_iter().map(|(_, thing)| thing).collect();
                self.rows.get_mut(at).into_iter().for_each(|old| old.clone_from(&row));
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    fn crossings(&self) -> usize {
        let places = self.places();
        let place = |thing: &usize| places.get(thing).copied().unwrap_or_default();
        let in_row = |row: &Vec<usize>| {
            let ends: Vec<(f64, f64)> = row
                .iter()
                .flat_map(|thing| self.near(*thing, 1).iter().map(|other| (place(thing), place(other))))
                .collect();
            let cross = |(at, one): (usize, &(f64, f64))| {
                let crossed = |other: &&(f64, f64)| (one.0 - other.0) * (one.1 - other.1) < 0.0;
                ends.iter().take(at).filter(crossed).count()
            };
            ends.iter().enumerate().map(cross).sum::<usize>()
        };
        self.rows.iter().map(in_row).sum()
    }

    /// Moves everything to where its neighbours are, as far as the others in the row let it.
    fn spread(&mut self) {
        for sweep in 0..SWEEPS {
            let count = self.rows.len();
            for step in 0..count {
                let at = if sweep % 2 == 0 { step } else { count - 1 - step };
                let row = self.rows.get(at).cloned().unwrap_or_default();
                let wanted: Vec<f64> = row.iter().map(|thing| self.wanted(*thing)).collect();
                let widths: Vec<f64> = row.iter().map(|thing| self.width(*thing)).collect();
                let rightwards = packed(&wanted, &widths);
                let mirrored: Vec<f64> = wanted.iter().rev().map(|x| -x).collect();
                let widths: Vec<f64> = widths.into_iter().rev().collect();
                let leftwards = packed(&mirrored, &widths);
                let places = rightwards.iter().zip(leftwards.iter().rev()).map(|(right, left)| (right - left) / 2.0);
                for (thing, x) in row.iter().zip(places) {
                    self.things.get_mut(*thing).into_iter().for_each(|thing| thing.x = x);
                }
            }
        }
    }

    fn wanted(&self, thing: usize) -> f64 {
        let x = |other: &usize| self.things.get(*other).map(|other| other.x);
        let near = self.near(thing, 0).iter().chain(self.near(thing, 1));
        mean(near.filter_map(x)).unwrap_or_default()
    }

    fn width(&self, thing: usize) -> f64 {
        self.things.get(thing).map_or(0.0, |thing| thing.size.width)
    }

    fn draw(&self, boxes: usize, chains: &[Chain]) -> Plan {
        let left = self.things.iter().map(|thing| thing.x - thing.size.width / 2.0).fold(0.0, f64::min);
        let right = self.things.iter().map(|thing| thing.x + thing.size.width / 2.0).fold(0.0, f64::max);
        let mut bottom = 0.0;
        let (mut middles, mut heights) = (Vec::new(), Vec::new());
        for row in &self.rows {
            let tallest = row.iter().filter_map(|thing| self.things.get(*thing)).map(|thing| thing.size.height);
            let height = tallest.fold(ROW_GAP, f64::max);
            middles.push(bottom + height / 2.0);
            heights.push(height);
            bottom += height + ROW_GAP;
        }
        let middle = |thing: usize| {
            let thing = self.things.get(thing)?;
            Some(Point { x: thing.x - left, y: middles.get(thing.row).copied().unwrap_or_default() })
        };
        let way = |chain: &Chain| {
            let last = chain.things.len().saturating_sub(1);
            let point = |(at, thing): (usize, &usize)| {
                let Point { x, y } = middle(*thing)?;
                let half = self.things.get(*thing).map_or(0.0, |thing| thing.size.height / 2.0);
                // At its ends it is on the edge of a box, beside the others that are there; it goes straight through the rows between.
                Some(match at {
                    0 => vec![Point { x: x + self.port(*thing, 1, chain.things.get(1)), y: y + half }],
                    at if at == last => {
                        let port = self.port(*thing, 0, chain.things.get(last.saturating_sub(1)));
                        vec![Point { x: x + port, y: y - half }]
                    }
                    _ => {
                        let row = self.things.get(*thing).and_then(|thing| heights.get(thing.row));
                        let half = row.copied().unwrap_or_default() / 2.0;
                        vec![Point { x, y: y - half }, Point { x, y: y + half }]
                    }
                })
            };
            let mut points: Vec<Point> = chain.things.iter().enumerate().filter_map(point).flatten().collect();
            if chain.is_up {
                points.reverse();
            }
            points
        };
        Plan {
            size: Size { width: right - left, height: bottom - ROW_GAP },
            boxes: (0..boxes).filter_map(middle).collect(),
            ways: chains.iter().map(way).collect(),
            labels: chains.iter().map(|chain| middle(chain.label?)).collect(),
        }
    }

    /// How far from the middle of a box's edge an arrow is there.
    fn port(&self, thing: usize, side: usize, other: Option<&usize>) -> f64 {
        let x = |other: &usize| self.things.get(*other).map_or(0.0, |other| other.x);
        let mut near: Vec<&usize> = self.near(thing, side).iter().collect();
        near.sort_by(|a, b| x(a).total_cmp(&x(b)));
        let at = near.iter().position(|near| Some(*near) == other).unwrap_or_default();
        let part = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        self.width(thing) * ((part(at) + 1.0) / (part(near.len()) + 1.0) - 0.5)
    }
}

/// Places from left to right, each as near to where it wants to be as those before it let it.
fn packed(wanted: &[f64], widths: &[f64]) -> Vec<f64> {
    let mut edge = f64::NEG_INFINITY;
    let place = |(wanted, width): (&f64, &f64)| {
        let x = wanted.max(edge + GAP + width / 2.0);
        edge = x + width / 2.0;
        x
    };
    wanted.iter().zip(widths).map(place).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}
