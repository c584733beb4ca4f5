//! Many lists of numbers in one piece of memory, and sets of numbers.

/// Lists by number.
#[derive(Debug, Default)]
pub(super) struct Lists<T> {
    /// Where each starts; one more at the end.
    starts: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy + Default> Lists<T> {
    /// From pairs of list and item; the items of a list keep their order.
    pub(super) fn build(lists: usize, pairs: &[(u32, T)]) -> Lists<T> {
        let mut starts = vec![0_u32; lists + 1];
        for (list, _) in pairs {
            starts.get_mut(*list as usize + 1).into_iter().for_each(|count| *count += 1);
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut items = vec![T::default(); sum as usize];
        for (list, item) in pairs {
            let Some(at) = next.get_mut(*list as usize).filter(|_| (*list as usize) < lists) else { continue };
            items.get_mut(*at as usize).into_iter().for_each(|place| *place = *item);
            *at += 1;
        }
        Lists { starts, items }
    }

    pub(super) fn get(&self, list: u32) -> &[T] {
        let list = list as usize;
        let (Some(start), Some(end)) = (self.starts.get(list), self.starts.get(list + 1)) else { return &[] };
        self.items.get(*start as usize..*end as usize).unwrap_or_default()
    }
}

/// A set of small numbers, taken out in order, each with whether it is sure.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Sixty-four numbers each, and who of them is sure.
    words: Vec<(u64, u64)>,
    /// Which words may not be empty.
    summary: Vec<u64>,
}

impl Candidates {
    pub(super) fn below(limit: usize) -> Candidates {
        let words = limit.div_ceil(64);
        Candidates { words: vec![(0, 0); words], summary: vec![0; words.div_ceil(64)] }
    }

    /// Adds it, if it is wanted. Who is sure once stays so. There is no branch, for nobody could foresee it.
    pub(super) fn add(&mut self, id: u32, wanted: bool, sure: bool) {
        let at = id as usize;
        if let (Some((word, of_sure)), Some(summary)) = (self.words.get_mut(at / 64), self.summary.get_mut(at / 4096)) {
            let bit = u64::from(wanted) << (at % 64);
            *word |= bit;
            *of_sure |= if sure { bit } else { 0 };
            *summary |= 1 << (at / 64 % 64);
        }
    }

    pub(super) fn extend(&mut self, ids: &[u32]) {
        ids.iter().for_each(|id| self.add(*id, true, false));
    }

    /// Takes all out, in order.
    pub(super) fn drain(&mut self, mut each: impl FnMut(u32, bool)) {
        for (first, summary) in (0..).step_by(64).zip(&mut self.summary) {
            for word_at in bits(std::mem::take(summary)).map(|bit| first + bit) {
                let (word, sure) = self.words.get_mut(word_at as usize).map(std::mem::take).unwrap_or_default();
                bits(word).for_each(|bit| each(word_at * 64 + bit, sure >> bit & 1 == 1));
            }
        }
    }
}

/// The places of the bits that are set.
fn bits(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        let next = word.checked_sub(1)?;
        word &= next;
        Some(bit)
    })
}
