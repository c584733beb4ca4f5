//! The paths of all criteria as one tree of names.

/// What rules ask of an object.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Some rule asks for the value itself.
    pub(super) slot: Option<u16>,
    children: Vec<Child>,
}

#[derive(Debug)]
struct Child {
    /// What tells nearly all names apart.
    start: u64,
    name: Box<str>,
    node: usize,
}

impl Node {
    pub(super) fn child(&self, name: &[u8]) -> Option<usize> {
        let start = start(name);
        let is_it = |child: &&Child| {
            child.start == start && child.name.len() == name.len() && child.name.as_bytes().get(8..) == name.get(8..)
        };
        self.children.iter().find(is_it).map(|child| child.node)
    }
}

/// The first eight bytes.
fn start(name: &[u8]) -> u64 {
    match name.first_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => name.iter().rev().fold(0, |start, byte| start << 8 | u64::from(*byte)),
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
                at = match node.child(name.as_bytes()) {
                    Some(child) => child,
                    None => {
                        node.children.push(Child { start: start(name.as_bytes()), name: name.clone(), node: next });
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
