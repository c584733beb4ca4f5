//! Finds which of many texts are contained in another, in one pass.
//!
//! Of every text, the eight (or four) bytes that the fewest others have are looked for, by a bitmap that says "surely not" for nearly all
//! places; where it does not, the texts that have these bytes are compared. Unlike an automaton of all texts it is built in no time from
//! its prepared form, and stays in the cache with tens of thousands of them.

use rustc_hash::FxHashMap;

use super::lists::Lists;

/// A text to find, and what is told when it is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sought<'a> {
    pub(super) text: &'a str,
    /// Where its rarest bytes are.
    pub(super) offset: u16,
    pub(super) id: u32,
}

/// The texts that are looked for in one value.
#[derive(Debug, Default)]
pub(super) struct Literals {
    long: Grams<8>,
    middle: Grams<4>,
    /// Those that are too short for that.
    short: Vec<(Box<str>, u32)>,
}

impl Literals {
    pub(super) fn build<'a>(sought: impl Iterator<Item = Sought<'a>>) -> Literals {
        let (mut long, mut middle, mut short) = (Vec::new(), Vec::new(), Vec::new());
        for one in sought {
            match one.text.len() {
                8.. => long.push(one),
                4.. => middle.push(one),
                _ => short.push((one.text.into(), one.id)),
            }
        }
        Literals { long: Grams::build(&long), middle: Grams::build(&middle), short }
    }

    /// Tells each text that is contained, some perhaps several times.
    pub(super) fn find(&self, text: &str, mut found: impl FnMut(u32)) {
        self.long.find(text.as_bytes(), &mut found);
        self.middle.find(text.as_bytes(), &mut found);
        for (short, id) in &self.short {
            if memchr::memmem::find(text.as_bytes(), short.as_bytes()).is_some() {
                found(*id);
            }
        }
    }
}

/// Where in each text the bytes are that the fewest of the others have.
pub(super) fn rarest(texts: &[&str]) -> Vec<u16> {
    let mut counts: FxHashMap<&[u8], u32> = FxHashMap::default();
    texts.iter().flat_map(|text| grams(text)).for_each(|(_, gram)| *counts.entry(gram).or_default() += 1);
    let rarest = |text: &&str| {
        // Of several the last: texts differ towards their ends more often.
        grams(text)
            .min_by_key(|(at, gram)| (counts.get(gram).copied().unwrap_or(0), u16::MAX - at))
            .map_or(0, |(at, _)| at)
    };
    texts.iter().map(rarest).collect()
}

fn grams(text: &str) -> impl Iterator<Item = (u16, &[u8])> {
    let width = if text.len() >= 8 { 8 } else { 4 };
    (0_u16..=u16::MAX).zip(text.as_bytes().windows(width))
}

#[derive(Debug, Default)]
struct Grams<const WIDTH: usize> {
    bitmap: Vec<u64>,
    shift: u32,
    by_gram: FxHashMap<u64, u32>,
    /// By gram: the texts that have it.
    lists: Lists<u32>,
    texts: Vec<Text>,
}

#[derive(Debug)]
struct Text {
    bytes: Box<[u8]>,
    offset: usize,
    id: u32,
}

impl<const WIDTH: usize> Grams<WIDTH> {
    fn build(sought: &[Sought<'_>]) -> Grams<WIDTH> {
        if sought.is_empty() {
            return Grams::default();
        }
        let bits = (sought.len() * 16).next_power_of_two().clamp(1 << 10, 1 << 22);
        let mut grams = Grams {
            bitmap: vec![0; bits / 64],
            shift: 64 - bits.trailing_zeros(),
            by_gram: FxHashMap::default(),
            lists: Lists::default(),
            texts: Vec::with_capacity(sought.len()),
        };
        let mut places = Vec::with_capacity(sought.len());
        for (at, one) in (0_u32..).zip(sought) {
            let bytes = one.text.as_bytes();
            // A prepared index may say anything.
            let offset = usize::from(one.offset).min(bytes.len() - WIDTH.min(bytes.len()));
            let Some(gram) = bytes.get(offset..).and_then(|rest| rest.first_chunk::<WIDTH>()) else { continue };
            let gram = number(gram);
            let next = u32::try_from(grams.by_gram.len()).unwrap_or(u32::MAX);
            let list = *grams.by_gram.entry(gram).or_insert(next);
            places.push((list, at));
            let (word, bit) = place(gram, grams.shift);
            grams.bitmap.get_mut(word).into_iter().for_each(|word| *word |= bit);
            grams.texts.push(Text { bytes: bytes.into(), offset, id: one.id });
        }
        grams.lists = Lists::build(grams.by_gram.len(), &places);
        grams
    }

    fn find(&self, text: &[u8], found: &mut impl FnMut(u32)) {
        if self.texts.is_empty() {
            return;
        }
        for (at, window) in text.windows(WIDTH).enumerate() {
            let Some(gram) = window.first_chunk::<WIDTH>() else { continue };
            let gram = number(gram);
            let (word, bit) = place(gram, self.shift);
            if self.bitmap.get(word).is_some_and(|word| word & bit != 0) {
                self.compare(gram, text, at, found);
            }
        }
    }

    #[cold]
    fn compare(&self, gram: u64, text: &[u8], at: usize, found: &mut impl FnMut(u32)) {
        let Some(list) = self.by_gram.get(&gram) else { return };
        for one in self.lists.get(*list).iter().filter_map(|at| self.texts.get(*at as usize)) {
            let start = at.checked_sub(one.offset);
            if start.and_then(|start| text.get(start..)).is_some_and(|rest| rest.starts_with(&one.bytes)) {
                found(one.id);
            }
        }
    }
}

fn number<const WIDTH: usize>(gram: &[u8; WIDTH]) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(gram).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(bytes)
}

/// The word and the bit of the bitmap.
const fn place(gram: u64, shift: u32) -> (usize, u64) {
    let hash = gram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift;
    ((hash >> 6) as usize, 1 << (hash & 63))
}
