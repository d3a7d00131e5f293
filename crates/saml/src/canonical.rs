//! Exclusive canonicalisation: the one text that stands for an element, however it is written.
//!
//! W3C, "Exclusive XML Canonicalization Version 1.0" (2002), "Canonical XML Version 1.0" (2001).

use std::collections::BTreeSet;

use roxmltree::{Node, NodeId};

use crate::document::{prefix, prefix_of};

/// What the prefix list says for the default namespace.
const DEFAULT_NAMESPACE: &str = "#default";
/// The prefix that no document needs to declare.
const XML: &str = "xml";

/// What becomes of comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comments {
    Kept,
    Dropped,
}

/// How an element is written.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) comments: Comments,
    /// The prefixes whose namespaces are written wherever they are in scope.
    pub(crate) inclusive_prefixes: Vec<String>,
}

/// Returns the canonical form of an element, without the node `without` and what is in it.
///
/// It recurses as deeply as elements nest, which the document bounds.
pub(crate) fn canonical(apex: Node<'_, '_>, without: Option<NodeId>, method: &Method) -> String {
    let mut writer = Writer { out: String::new(), declared: Vec::new(), without, method };
    writer.node(apex);
    writer.out
}

struct Writer<'d> {
    out: String,
    /// The namespaces that elements around this one have written, prefix and URI, inner ones last.
    declared: Vec<(String, &'d str)>,
    without: Option<NodeId>,
    method: &'d Method,
}

impl<'d> Writer<'d> {
    fn node(&mut self, node: Node<'d, 'd>) {
        if self.without == Some(node.id()) {
            return;
        }
        if node.is_element() {
            self.element(node);
        } else if let Some(text) = node.text().filter(|_| node.is_text()) {
            escape_text(&mut self.out, text);
        } else if let Some(instruction) = node.pi() {
            self.out.extend(["<?", instruction.target]);
            if let Some(value) = instruction.value {
                self.out.extend([" ", value]);
            }
            self.out.push_str("?>");
        } else if node.is_comment() && self.method.comments == Comments::Kept {
            self.out.extend(["<!--", node.text().unwrap_or_default(), "-->"]);
        }
    }

    fn element(&mut self, node: Node<'d, 'd>) {
        let outside = self.declared.len();
        let prefix = prefix(node);
        let name = match prefix {
            "" => node.tag_name().name().to_owned(),
            prefix => format!("{prefix}:{}", node.tag_name().name()),
        };
        self.out.extend(["<", &name]);
        self.namespaces(node, prefix);
        self.attributes(node);
        self.out.push('>');
        node.children().for_each(|child| self.node(child));
        self.out.extend(["</", &name, ">"]);
        self.declared.truncate(outside);
    }

    /// Writes the namespaces that the element makes visible use of, and those of the prefix list,
    /// unless the elements around it have.
    fn namespaces(&mut self, node: Node<'d, 'd>, own_prefix: &str) {
        let source = node.document().input_text();
        let of_attributes = node.attributes().filter_map(|attribute| {
            let name = source.get(attribute.range_qname()).map(prefix_of)?;
            (!name.is_empty()).then_some(name)
        });
        let listed = self.method.inclusive_prefixes.iter().map(|listed| match listed.as_str() {
            DEFAULT_NAMESPACE => "",
            prefix => prefix,
        });
        let used: BTreeSet<&str> =
            of_attributes.chain(listed).chain([own_prefix]).filter(|used| *used != XML).collect();
        for prefix in used {
            let uri = node.lookup_namespace_uri(Some(prefix).filter(|prefix| !prefix.is_empty()));
            let mut around = self.declared.iter().rev();
            let around = around.find(|(known, _)| known == prefix).map_or("", |(_, uri)| *uri);
            let uri = uri.unwrap_or_default();
            if uri == around {
                continue;
            }
            match prefix {
                "" => self.out.push_str(" xmlns=\""),
                prefix => self.out.extend([" xmlns:", prefix, "=\""]),
            }
            escape_attribute(&mut self.out, uri);
            self.out.push('"');
            self.declared.push((prefix.to_owned(), uri));
        }
    }

    fn attributes(&mut self, node: Node<'d, 'd>) {
        let source = node.document().input_text();
        let mut attributes: Vec<_> = node.attributes().collect();
        attributes
            .sort_by_key(|attribute| (attribute.namespace().unwrap_or_default(), attribute.name()));
        for attribute in attributes {
            let name = source.get(attribute.range_qname()).unwrap_or_default();
            self.out.extend([" ", name, "=\""]);
            escape_attribute(&mut self.out, attribute.value());
            self.out.push('"');
        }
    }
}

fn escape_text(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            letter => out.push(letter),
        }
    }
}

fn escape_attribute(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            letter => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    /// Returns the canonical form of the first element of a name.
    fn form(text: &str, name: &str, comments: Comments, prefixes: &[&str]) -> String {
        let document = document::parse(text).unwrap();
        let apex = document.descendants().find(|node| node.tag_name().name() == name).unwrap();
        let inclusive_prefixes = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
        canonical(apex, None, &Method { comments, inclusive_prefixes })
    }

    #[test]
    fn an_element_is_the_same_in_every_context() {
        // Exclusive XML Canonicalization, §2.2: two contexts, one form.
        let plain = r#"<n1:elem2 xmlns:n1="http://example.net" xml:lang="en">
<n3:stuff xmlns:n3="ftp://example.org"/></n1:elem2>"#;
        let first = format!(r#"<n0:pdu xmlns:n0="http://a.example">{plain}</n0:pdu>"#);
        let second = format!(
            r#"<n2:pdu xmlns:n1="http://example.com" xmlns:n2="http://foo.example" xml:lang="fr" xml:space="retain">{plain}</n2:pdu>"#
        );
        let expected = r#"<n1:elem2 xmlns:n1="http://example.net" xml:lang="en">
<n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>"#;
        for text in [first, second] {
            assert_eq!(form(&text, "elem2", Comments::Dropped, &[]), expected);
        }
    }

    #[test]
    fn listed_prefixes_are_written_where_they_are_in_scope() {
        let text = r#"<a xmlns="urn:d" xmlns:x="urn:x" xmlns:y="urn:y"><b><c y:k=""/></b></a>"#;
        let table: [(&[&str], &str); 3] = [
            (&[], r#"<b xmlns="urn:d"><c xmlns:y="urn:y" y:k=""></c></b>"#),
            (
                &["x", "none"],
                r#"<b xmlns="urn:d" xmlns:x="urn:x"><c xmlns:y="urn:y" y:k=""></c></b>"#,
            ),
            (&["y", "#default"], r#"<b xmlns="urn:d" xmlns:y="urn:y"><c y:k=""></c></b>"#),
        ];
        for (prefixes, expected) in table {
            assert_eq!(form(text, "b", Comments::Dropped, prefixes), expected);
        }
    }

    #[test]
    fn a_default_namespace_ends_where_it_is_taken_back() {
        let text = r#"<a xmlns="urn:a"><b xmlns=""><c xmlns="urn:a"/><c/></b></a>"#;
        assert_eq!(
            form(text, "a", Comments::Dropped, &[]),
            r#"<a xmlns="urn:a"><b xmlns=""><c xmlns="urn:a"></c><c></c></b></a>"#
        );
        assert_eq!(
            form(text, "b", Comments::Dropped, &[]),
            r#"<b><c xmlns="urn:a"></c><c></c></b>"#
        );
    }

    #[test]
    fn what_is_written_differently_becomes_one() {
        let text = "<r z='1' a = \"&#x9;&quot;&lt;'>\" b:q='' xmlns:b='urn:b'\r\n\
                    ><?p  x?><!-- c --><![CDATA[<&>]]>&#13;\r\né<?q?></r  >";
        let with = |comment: &str| {
            format!(
                "<r xmlns:b=\"urn:b\" a=\"&#x9;&quot;&lt;'>\" z=\"1\" b:q=\"\"><?p x?>{comment}\
                 &lt;&amp;&gt;&#xD;\né<?q?></r>"
            )
        };
        assert_eq!(form(text, "r", Comments::Dropped, &[]), with(""));
        assert_eq!(form(text, "r", Comments::Kept, &[]), with("<!-- c -->"));
    }
}
