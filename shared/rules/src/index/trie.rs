//! The paths of all criteria as one tree of names.

/// What rules ask of an object.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Some rule asks for the value itself.
    pub(super) slot: Option<u16>,
    /// By length of the name, then by name: few names are as long as another.
    children: Vec<(Box<str>, usize)>,
}

impl Node {
    pub(super) fn child(&self, name: &str) -> Option<usize> {
        self.children.iter().find(|(known, _)| **known == *name).map(|(_, child)| *child)
    }
}

#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    paths: Vec<Box<[Box<str>]>>,
}

impl Default for Trie {
    fn default() -> Trie {
        Trie::new(Vec::new())
    }
}

impl Trie {
    /// A path's place in the list is its slot.
    pub(super) fn new(paths: Vec<Box<[Box<str>]>>) -> Trie {
        let mut nodes = vec![Node::default()];
        for (slot, path) in (0_u16..).zip(&paths) {
            let mut at = 0;
            for name in path {
                let next = nodes.len();
                let Some(node) = nodes.get_mut(at) else { break };
                at = match node.child(name) {
                    Some(child) => child,
                    None => {
                        node.children.push((name.clone(), next));
                        nodes.push(Node::default());
                        next
                    }
                };
            }
            nodes.get_mut(at).into_iter().for_each(|node| node.slot = Some(slot));
        }
        Trie { nodes, paths }
    }

    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) const fn slots(&self) -> usize {
        self.paths.len()
    }

    pub(super) fn root(&self) -> Option<&Node> {
        self.node(0)
    }

    pub(super) fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at)
    }

    pub(super) fn paths(&self) -> &[Box<[Box<str>]>] {
        &self.paths
    }
}
