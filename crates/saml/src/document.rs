//! XML documents as they are taken here: small, flat, and without document types.

use roxmltree::{Document, Node, ParsingOptions};

use crate::Flaw;

/// How long a document may be, in bytes.
const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;
/// How many nodes it may have.
const NODES_MAX: u32 = 50_000;
/// How deeply elements may nest.
const DEPTH_MAX: usize = 64;

/// How many attributes an element may have: the parser compares each with every other.
const ATTRIBUTES_MAX: usize = 256;
/// How many namespaces may be in scope anywhere: each name that is written is looked up among them.
const NAMESPACES_MAX: usize = 32;

/// Reads a document.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, Flaw> {
    if DOCUMENT_BYTES_MAX < text.len() {
        return Err(Flaw::Document(format!("it is longer than {DOCUMENT_BYTES_MAX} bytes")));
    }
    // No tag goes on behind the next `<`, and no attribute is without its `=`.
    if text.split('<').any(|tag| ATTRIBUTES_MAX < tag.matches('=').count()) {
        return Err(Flaw::Document(format!("a tag has more than {ATTRIBUTES_MAX} attributes")));
    }
    let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document_type = || Flaw::Document("document types are not accepted".into());
    let document = Document::parse_with_options(text, options).map_err(|err| match err {
        roxmltree::Error::DtdDetected => document_type(),
        err => Flaw::Document(err.to_string()),
    })?;
    // The parser lets a document type pass that declares nothing.
    let start = document.root_element().range().start;
    if text.get(..start).is_none_or(|prologue| prologue.contains("<!DOCTYPE")) {
        return Err(document_type());
    }
    if is_too_deep(document.root_element()) {
        return Err(Flaw::Document(format!("it nests deeper than {DEPTH_MAX} elements")));
    }
    let elements = document.descendants().filter(Node::is_element);
    if elements.map(|node| node.namespaces().len()).any(|count| NAMESPACES_MAX < count) {
        return Err(Flaw::Document(format!("it has more than {NAMESPACES_MAX} namespaces")));
    }
    Ok(document)
}

fn is_too_deep(root: Node<'_, '_>) -> bool {
    let (mut node, mut depth) = (root, 1);
    loop {
        if DEPTH_MAX < depth {
            return true;
        }
        if let Some(child) = node.first_child() {
            (node, depth) = (child, depth + 1);
            continue;
        }
        // On to the next node in document order, never above the root.
        while node != root && node.next_sibling().is_none() {
            let Some(parent) = node.parent() else { return false };
            (node, depth) = (parent, depth - 1);
        }
        match node.next_sibling() {
            Some(next) if node != root => node = next,
            _ => return false,
        }
    }
}

/// Returns whether a node is the element of this name.
pub(crate) fn is_named(node: &Node<'_, '_>, (namespace, name): (&str, &str)) -> bool {
    node.is_element()
        && node.tag_name().name() == name
        && node.tag_name().namespace() == Some(namespace)
}

/// Returns the elements of this name directly within another.
pub(crate) fn children<'d, 'i: 'd>(
    node: Node<'d, 'i>,
    name: (&'static str, &'static str),
) -> impl Iterator<Item = Node<'d, 'i>> {
    node.children().filter(move |child| is_named(child, name))
}

/// Returns the one element of this name directly within another; none when there is none or more.
pub(crate) fn only_child<'d, 'i: 'd>(
    node: Node<'d, 'i>,
    name: (&'static str, &'static str),
) -> Option<Node<'d, 'i>> {
    let mut found = children(node, name);
    found.next().filter(|_| found.next().is_none())
}

/// Returns the text of an element that has nothing but text, without the white space around it.
///
/// INVARIANT: it is the whole text. Canonical forms leave comments out, so a comment within a
/// signed name must not end it.
pub(crate) fn text(node: Node<'_, '_>) -> Option<String> {
    let mut text = String::new();
    for child in node.children().filter(|child| !child.is_comment()) {
        text.push_str(child.text().filter(|_| child.is_text())?);
    }
    Some(text.trim().to_owned())
}

/// Returns how the name of an element begins in the source: its prefix, or nothing.
pub(crate) fn prefix<'i>(node: Node<'_, 'i>) -> &'i str {
    let source = node.document().input_text();
    let name = source.get(node.range().start + 1..).unwrap_or_default();
    let end = name.find(|letter: char| letter.is_ascii_whitespace() || "/>".contains(letter));
    prefix_of(name.get(..end.unwrap_or(0)).unwrap_or_default())
}

/// Returns the prefix of a qualified name, or nothing.
pub(crate) fn prefix_of(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}
