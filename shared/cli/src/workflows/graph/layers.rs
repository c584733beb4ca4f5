//! How far nodes are from a start at most, and which links lead back.

/// The layer of each node, and which of the links lead back.
pub(super) fn layers(nodes: usize, links: &[(usize, usize)]) -> (Vec<usize>, Vec<bool>) {
    let backs = backs(nodes, links);
    let forward: Vec<_> = links.iter().zip(&backs).filter(|(_, is_back)| !**is_back).map(|(link, _)| *link).collect();
    let mut layers = vec![0; nodes];
    // Without what leads back the longest way has fewer steps than there are nodes.
    for _ in 0..nodes {
        let mut is_settled = true;
        for (from, to) in &forward {
            let next = layers.get(*from).map_or(0, |layer| layer + 1);
            if let Some(layer) = layers.get_mut(*to).filter(|layer| **layer < next) {
                (*layer, is_settled) = (next, false);
            }
        }
        if is_settled {
            break;
        }
    }
    (layers, backs)
}

/// Links to what is still being gone through, depth first.
fn backs(nodes: usize, links: &[(usize, usize)]) -> Vec<bool> {
    let mut follows: Vec<Vec<(usize, usize)>> = vec![Vec::new(); nodes];
    let mut is_root = vec![true; nodes];
    for (number, (from, to)) in links.iter().enumerate() {
        follows.get_mut(*from).into_iter().for_each(|follows| follows.push((number, *to)));
        is_root.get_mut(*to).into_iter().for_each(|is_root| *is_root = *is_root && from == to);
    }
    let (mut backs, mut seen, mut open) = (vec![false; links.len()], vec![false; nodes], vec![false; nodes]);
    let set = |flags: &mut [bool], at: usize, to: bool| flags.get_mut(at).into_iter().for_each(|flag| *flag = to);
    let (first, rest): (Vec<_>, Vec<_>) = (0..nodes).partition(|node| is_root.get(*node) == Some(&true));
    for root in first.into_iter().chain(rest) {
        let mut stack = vec![(root, 0)];
        while let Some((node, at)) = stack.pop() {
            if at == 0 {
                if seen.get(node) != Some(&false) {
                    continue;
                }
                set(&mut seen, node, true);
                set(&mut open, node, true);
            }
            match follows.get(node).and_then(|follows| follows.get(at)) {
                Some((link, to)) => {
                    set(&mut backs, *link, open.get(*to) == Some(&true));
                    stack.push((node, at + 1));
                    stack.push((*to, 0));
                }
                None => set(&mut open, node, false),
            }
        }
    }
    backs
}
