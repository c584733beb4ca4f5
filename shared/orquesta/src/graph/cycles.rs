//! Which tasks can follow themselves.

/// For each node whether it is on a cycle; `edges` are the nodes that follow each. Strongly connected components, without recursion.
pub(crate) fn on_cycle(edges: &[Vec<usize>]) -> Vec<bool> {
    let order = finished_order(edges);
    let mut backwards = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        for target in targets {
            if let Some(sources) = backwards.get_mut(*target) {
                sources.push(from);
            }
        }
    }
    let mut cyclic: Vec<bool> = edges.iter().enumerate().map(|(node, targets)| targets.contains(&node)).collect();
    let mut seen = vec![false; edges.len()];
    for root in order.into_iter().rev() {
        let component = reach(root, &backwards, &mut seen);
        if component.len() > 1 {
            component.into_iter().filter_map(|node| cyclic.get_mut(node).map(|flag| *flag = true)).for_each(drop);
        }
    }
    cyclic
}

/// The nodes not seen before that can be reached from one, itself included.
fn reach(root: usize, edges: &[Vec<usize>], seen: &mut [bool]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        match seen.get_mut(node) {
            Some(flag) if !*flag => *flag = true,
            _ => continue,
        }
        found.push(node);
        open.extend(edges.get(node).into_iter().flatten());
    }
    found
}

/// All nodes, each after those that were first found from it.
fn finished_order(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; edges.len()];
    let mut order = Vec::with_capacity(edges.len());
    for root in 0..edges.len() {
        let mut open = vec![(root, 0)];
        while let Some((node, at)) = open.pop() {
            match seen.get_mut(node) {
                Some(flag) if at == 0 && *flag => continue,
                Some(flag) => *flag = true,
                None => continue,
            }
            match edges.get(node).and_then(|targets| targets.get(at)) {
                Some(target) => {
                    open.push((node, at + 1));
                    open.push((*target, 0));
                }
                None => order.push(node),
            }
        }
    }
    order
}
