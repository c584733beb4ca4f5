//! From rules to a plan, without the choice by what each rule is found.

use expressions::python::Numeric;
use rustc_hash::FxHashMap;
use serde_json::Value;
use std::hash::Hash;

use super::plan::{Constant, Guard, Literal, NumberKey, Op, PatternSource, Plan, Probe, Program, Symbol, Test, Text};
use crate::{
    compiled::CompiledRule,
    criterion::{Check, Criterion},
    operator::{Operator, Prepared},
    pattern::Pattern,
    tree::{Join, Tree},
};

/// A criterion as an operation, and by what values that fulfil it are found: any of the probes of any of these.
type Asked = (Op, Vec<Vec<Probe>>);

/// One way to find a rule: by any of the probes, or where any of the guards is right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Way {
    pub(super) probes: Vec<Probe>,
    pub(super) guards: Vec<Guard>,
}

#[derive(Default)]
pub(super) struct Compiler {
    pub(super) plan: Plan,
    slots: FxHashMap<Box<[Box<str>]>, u16>,
    symbols: FxHashMap<(u16, Symbol), u32>,
    texts: FxHashMap<Text, u32>,
    numbers: FxHashMap<(u16, NumberKey), u32>,
    literals: FxHashMap<(u16, bool, Box<str>), u32>,
    patterns: FxHashMap<PatternSource, u32>,
}

impl Compiler {
    /// Adds the next rule and tells by what it can be found: its first criteria, up to one that may fail whatever the value. Where there is
    /// no way it must always be tried.
    pub(super) fn add(&mut self, rule: &CompiledRule) -> Vec<Way> {
        let start = as_u32(self.plan.ops.len());
        let mut ways = Vec::new();
        let mut guards: Vec<Guard> = Vec::new();
        let mut whole = true;
        for criterion in rule.criteria() {
            let Some((op, probes)) = self.criterion(criterion) else {
                whole = false;
                ways.extend(criterion.tree().and_then(|tree| self.any_of(tree, &guards)));
                break;
            };
            self.plan.ops.push(op);
            if op.test == Test::Never {
                // Nothing but a failure can come of it.
                ways = vec![Way { probes: Vec::new(), guards: guards.clone() }];
                break;
            }
            guards.extend(op.test.needs().map(|kind| Guard { slot: op.slot, kind }));
            guards.sort_unstable();
            guards.dedup();
            ways.extend(probes.into_iter().map(|probes| Way { probes, guards: guards.clone() }));
        }
        let ops = u16::try_from(as_u32(self.plan.ops.len()) - start).unwrap_or(u16::MAX);
        self.plan.programs.push(Program { start, ops, whole, empty: rule.criteria().is_empty() });
        ways
    }

    /// By the first criterion of every group that values can be looked up for.
    fn any_of(&mut self, tree: &Tree, before: &[Guard]) -> Option<Way> {
        if tree.join != Join::Any {
            return None;
        }
        let mut way = Way { probes: Vec::new(), guards: before.to_vec() };
        for group in &tree.groups {
            let found = group.iter().map_while(|criterion| {
                let (op, probes) = self.criterion(criterion)?;
                way.guards.extend(op.test.needs().map(|kind| Guard { slot: op.slot, kind }));
                Some(probes)
            });
            let probes = found.collect::<Vec<_>>().into_iter().flatten().max_by_key(|probes| self.length(probes))?;
            way.probes.extend(probes);
        }
        way.guards.sort_unstable();
        way.guards.dedup();
        Some(way)
    }

    /// A guess at how much of the value the probes name.
    fn length(&self, probes: &[Probe]) -> usize {
        match probes.first() {
            Some(Probe::Literal(literal)) => {
                self.plan.literals.get(*literal as usize).map_or(0, |found| found.text.len())
            }
            Some(_) => usize::MAX,
            None => 0,
        }
    }

    /// The criterion as an operation, and by what values that fulfil it are found. `None` where it takes more than that.
    fn criterion(&mut self, criterion: &Criterion) -> Option<Asked> {
        if criterion.is_never() {
            return Some((Op { test: Test::Never, slot: 0, operand: 0 }, Vec::new()));
        }
        let test = criterion.test()?;
        let names = test.path.payload_names()?;
        let (Check::Known(prepared), Pattern::Literal(pattern)) = (&test.check, &test.pattern) else { return None };
        let slot = self.slot(names)?;
        self.operation(slot, prepared, pattern)
    }

    fn slot(&mut self, names: &[Box<str>]) -> Option<u16> {
        if let Some(slot) = self.slots.get(names) {
            return Some(*slot);
        }
        let slot = u16::try_from(self.plan.paths.len()).ok().filter(|slot| *slot < u16::MAX)?;
        self.plan.paths.push(names.into());
        self.slots.insert(names.into(), slot);
        Some(slot)
    }

    fn operation(&mut self, slot: u16, prepared: &Prepared, pattern: &Value) -> Option<Asked> {
        let op = |test, operand| Op { test, slot, operand };
        match (prepared.operator(), pattern) {
            (Operator::Equals, value) => {
                let symbol = self.symbol(slot, value)?;
                Some((op(Test::Equal, symbol), vec![vec![Probe::Symbol(symbol)]]))
            }
            (Operator::Nequals, value) => Some((op(Test::NotEqual, self.symbol(slot, value)?), Vec::new())),
            (Operator::Exists, _) => Some((op(Test::NotEqual, self.symbol(slot, &Value::Null)?), Vec::new())),
            (Operator::Nexists, _) => {
                let symbol = self.symbol(slot, &Value::Null)?;
                Some((op(Test::Equal, symbol), vec![vec![Probe::Symbol(symbol)]]))
            }
            (Operator::Inside | Operator::Ninside, Value::Array(values)) => {
                self.inside(slot, values, prepared.operator() == Operator::Inside)
            }
            (Operator::Lessthan | Operator::Greaterthan, value) => {
                self.comparison(slot, value, prepared.operator() == Operator::Lessthan)
            }
            (Operator::Regex | Operator::Iregex | Operator::Matchregex | Operator::Matchwildcard, _) => {
                self.pattern(slot, prepared)
            }
            _ => self.text_operation(slot, prepared, pattern),
        }
    }

    fn text_operation(&mut self, slot: u16, prepared: &Prepared, pattern: &Value) -> Option<Asked> {
        let op = |test, operand| Op { test, slot, operand };
        let lower = prepared.lower();
        let text = lower.or(pattern.as_str())?;
        // An empty text is in every text, so nothing is found by it.
        let probe = |probe: Option<Probe>| -> Vec<Vec<Probe>> {
            probe.filter(|_| !text.is_empty()).map(|probe| vec![probe]).into_iter().collect()
        };
        Some(match prepared.operator() {
            Operator::Startswith => {
                let operand = self.text(slot, Test::Starts, text);
                (op(Test::Starts, operand), probe(Some(Probe::Starts(operand))))
            }
            Operator::Istartswith => {
                let operand = self.text(slot, Test::LowerStarts, text);
                (op(Test::LowerStarts, operand), probe(Some(Probe::LowerStarts(operand))))
            }
            Operator::Iequals => {
                let operand = self.text(slot, Test::LowerEqual, text);
                (op(Test::LowerEqual, operand), vec![vec![Probe::LowerWhole(operand)]])
            }
            Operator::Endswith => {
                let literal = self.literal(slot, false, text);
                (op(Test::Ends, self.text(slot, Test::Ends, text)), probe(literal.map(Probe::Literal)))
            }
            Operator::Iendswith => {
                let literal = self.literal(slot, true, text);
                let operand = self.text(slot, Test::LowerEnds, text);
                (op(Test::LowerEnds, operand), probe(literal.map(Probe::Literal)))
            }
            Operator::Contains | Operator::Icontains => {
                let literal = self.literal(slot, lower.is_some(), text)?;
                (op(Test::Contains, literal), probe(Some(Probe::Literal(literal))))
            }
            Operator::Ncontains | Operator::Incontains => {
                (op(Test::ContainsNot, self.literal(slot, lower.is_some(), text)?), Vec::new())
            }
            _ => return None,
        })
    }

    fn inside(&mut self, slot: u16, values: &[Value], inside: bool) -> Option<Asked> {
        let symbols: Vec<u32> = values.iter().map(|value| self.symbol(slot, value)).collect::<Option<_>>()?;
        let operand = as_u32(self.plan.choices.len());
        self.plan.choices.push(symbols.clone());
        let test = if inside { Test::Inside } else { Test::NotInside };
        Some((
            Op { test, slot, operand },
            if inside { vec![symbols.into_iter().map(Probe::Symbol).collect()] } else { Vec::new() },
        ))
    }

    fn comparison(&mut self, slot: u16, value: &Value, less: bool) -> Option<Asked> {
        if let Some(text) = value.as_str() {
            let test = if less { Test::TextLess } else { Test::TextGreater };
            return Some((Op { test, slot, operand: self.text(slot, test, text) }, Vec::new()));
        }
        let number = Numeric::of(value)?;
        let constant = match number {
            Numeric::Int(int) => Constant::Int(int),
            Numeric::Float(float) => Constant::Float(float),
        };
        let next = as_u32(self.plan.numbers.len());
        let operand = *self.numbers.entry((slot, NumberKey::of(number))).or_insert(next);
        if operand == next {
            self.plan.numbers.push((slot, constant));
        }
        Some((Op { test: if less { Test::Less } else { Test::Greater }, slot, operand }, Vec::new()))
    }

    /// Only where the pattern can't fail on any text.
    fn pattern(&mut self, slot: u16, prepared: &Prepared) -> Option<Asked> {
        let regex = prepared.regex().filter(|regex| regex.is_linear())?;
        let literals: Vec<u32> =
            regex.required_literals().iter().filter_map(|text| self.literal(slot, false, text)).collect();
        let (pattern, flags) = regex.source();
        let source = PatternSource {
            slot,
            pattern: pattern.into(),
            ignore_case: flags.ignore_case,
            dot_all: flags.dot_all,
            anchored: flags.anchored,
            literals: literals.clone(),
        };
        let next = as_u32(self.plan.patterns.len());
        let operand = *self.patterns.entry(source.clone()).or_insert(next);
        if operand == next {
            self.plan.patterns.push(source);
        }
        Some((
            Op { test: Test::Matches, slot, operand },
            literals.into_iter().map(|literal| vec![Probe::Literal(literal)]).collect(),
        ))
    }

    fn symbol(&mut self, slot: u16, value: &Value) -> Option<u32> {
        let symbol = match value {
            Value::Null => Symbol::Null,
            Value::String(text) => Symbol::Text(text.as_str().into()),
            other => Symbol::Number(NumberKey::of(Numeric::of(other)?)),
        };
        Some(number_of(&mut self.symbols, &mut self.plan.symbols, (slot, symbol)))
    }

    fn text(&mut self, slot: u16, test: Test, text: &str) -> u32 {
        number_of(&mut self.texts, &mut self.plan.texts, Text { slot, test, text: text.into() })
    }

    fn literal(&mut self, slot: u16, lower: bool, text: &str) -> Option<u32> {
        if text.is_empty() {
            return None;
        }
        let next = as_u32(self.plan.literals.len());
        let number = *self.literals.entry((slot, lower, text.into())).or_insert(next);
        if number == next {
            self.plan.literals.push(Literal { slot, lower, text: text.into(), offset: 0 });
        }
        Some(number)
    }
}

fn number_of<T: Clone + Eq + Hash>(numbers: &mut FxHashMap<T, u32>, all: &mut Vec<T>, item: T) -> u32 {
    let next = as_u32(all.len());
    let number = *numbers.entry(item.clone()).or_insert(next);
    if number == next {
        all.push(item);
    }
    number
}

/// More than 2^32 rules don't fit into memory.
pub(super) fn as_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
