//! The picture.

use std::fmt::Write;

use super::layout::{
    CAPTION_LINE, CAPTION_SIZE, DOT, Drawing, Drawn, LABEL_SIZE, NAME_LINE, NAME_SIZE, Placed,
    Rectangle,
};
use super::model::{Kind, Line};
use super::progress::Status;

/// Colours for bright and dark surroundings; nothing is fetched from elsewhere.
const STYLE: &str = "\
text{font-family:system-ui,'Noto Sans','Noto Sans CJK JP',sans-serif;fill:#1f2430}\
.n{font-weight:600}.c{fill:#667085}.l{fill:#475467}\
.s{fill:#fff;stroke:#98a2b3}.choice{fill:#fff7e6;stroke:#d99a1c}\
.succeed{fill:#ecfdf3;stroke:#2f9e5b}.fail{fill:#fef3f2;stroke:#d0453a}\
.g{fill:#f6f8fb;stroke:#b6c0d2}\
.succeeded{fill:#e3f7ea;stroke:#2f9e5b}.failed{fill:#fde4e1;stroke:#d0453a}\
.running{fill:#e2eeff;stroke:#2f6fd6}.caught{fill:#fff0d6;stroke:#d97a1c}\
.aborted{stroke-dasharray:4 3}.b{fill:none;stroke:#ccd4e2;stroke-dasharray:2 3}\
.e{fill:none;stroke:#667085;stroke-width:1.3}.k{stroke:#d0453a;stroke-dasharray:5 4}\
.p{fill:#fff;fill-opacity:.9}.bg{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#e6e9ef}.c,.l{fill:#a7b0c0}\
.bg{fill:#14171d}\
.s{fill:#1e232c;stroke:#667085}.choice{fill:#2b2414}.succeed{fill:#12281c}.fail{fill:#2d1715}\
.g{fill:#191e27;stroke:#3c4658}\
.succeeded{fill:#12301f}.failed{fill:#3a1b18}.running{fill:#14253f}.caught{fill:#36280f}\
.p{fill:#14171d}}";

/// Draws a machine.
pub(super) fn draw(drawing: &Drawing<'_>) -> String {
    let (width, height) = (round(drawing.width), round(drawing.height));
    let mut out = Picture(String::new());
    out.line(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">"
    ));
    out.line(format_args!("<style>{STYLE}</style>"));
    for (id, colour) in [("a", "#667085"), ("ak", "#d0453a")] {
        out.line(format_args!(
            "<marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" \
             markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"{colour}\"/>\
             </marker>"
        ));
    }
    out.line(format_args!("<rect class=\"bg\" width=\"{width}\" height=\"{height}\"/>"));
    out.machine(drawing);
    out.line(format_args!("</svg>"));
    out.0
}

struct Picture(String);

impl Picture {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn machine(&mut self, drawing: &Drawing<'_>) {
        for one in &drawing.boxes {
            self.node(one);
        }
        for line in &drawing.lines {
            self.edge(line);
        }
        // On top of every edge.
        for line in &drawing.lines {
            self.label(line);
        }
    }

    fn node(&mut self, placed: &Placed<'_>) {
        let Rectangle { x, y, width, height } = placed.place;
        let (middle, node) = (x + width / 2.0, placed.node);
        let class = match node.kind {
            Kind::Start | Kind::End => return self.dot(placed),
            Kind::Choice => "choice",
            Kind::Succeed => "succeed",
            Kind::Fail => "fail",
            Kind::State if node.inside.is_empty() => "s",
            Kind::State => "g",
        };
        let (class, marked) = match node.status.map(Status::name) {
            Some(name) => (format!("{class} {name}"), format!(" data-status=\"{name}\"")),
            None => (class.to_owned(), String::new()),
        };
        self.line(format_args!("<g data-state=\"{}\"{marked}>", escaped(&node.name)));
        let comment = if node.comment.is_empty() { &node.name } else { &node.comment };
        self.line(format_args!("<title>{}</title>", escaped(comment)));
        self.line(format_args!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"8\"/>",
            round(x),
            round(y),
            round(width),
            round(height)
        ));
        let mut line = y + 4.0;
        for text in &placed.name {
            line += NAME_LINE;
            self.text("n", middle, line, NAME_SIZE, text);
        }
        self.text("c", middle, line + CAPTION_LINE, CAPTION_SIZE, &node.caption);
        for (dx, dy, drawing) in &placed.inside {
            self.line(format_args!(
                "<g transform=\"translate({} {})\">",
                round(x + dx),
                round(y + dy)
            ));
            self.line(format_args!(
                "<rect class=\"b\" width=\"{}\" height=\"{}\" rx=\"6\"/>",
                round(drawing.width),
                round(drawing.height)
            ));
            self.machine(drawing);
            self.line(format_args!("</g>"));
        }
        self.line(format_args!("</g>"));
    }

    fn dot(&mut self, placed: &Placed<'_>) {
        let Rectangle { x, y, width, height } = placed.place;
        let (middle, centre) = (x + width / 2.0, y + height / 2.0);
        self.line(format_args!(
            "<rect class=\"s\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
            round(x),
            round(y),
            round(width),
            round(height),
            DOT / 2.0
        ));
        self.text("l", middle, centre + LABEL_SIZE * 0.35, LABEL_SIZE, &placed.node.name);
    }

    fn edge(&mut self, line: &Drawn<'_>) {
        let (class, marker) = match line.edge.line {
            Line::Solid => ("e", "a"),
            Line::Dashed => ("e k", "ak"),
        };
        let mut path = String::new();
        for (index, (x, y)) in line.points.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|before| line.points.get(before));
            let (x, y) = (round(*x), round(*y));
            let _ = match before {
                None => write!(path, "M{x} {y}"),
                Some((bx, _)) if same(round(*bx), x) => write!(path, "V{y}"),
                Some((_, by)) if same(round(*by), y) => write!(path, "H{x}"),
                // It leaves and arrives upright.
                Some((bx, by)) => {
                    let (bx, middle) = (round(*bx), round(f64::midpoint(*by, y)));
                    write!(path, "C{bx} {middle} {x} {middle} {x} {y}")
                }
            };
        }
        self.line(format_args!(
            "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#{marker})\"/>"
        ));
    }

    fn label(&mut self, line: &Drawn<'_>) {
        let Some(Rectangle { x, y, width, height }) = line.label else { return };
        self.line(format_args!("<g><title>{}</title>", escaped(&line.edge.comment)));
        self.line(format_args!(
            "<rect class=\"p\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\"/>",
            round(x),
            round(y),
            round(width),
            round(height)
        ));
        let baseline = y + height - 4.5;
        self.text("l", x + width / 2.0, baseline, LABEL_SIZE, &line.edge.label);
        self.line(format_args!("</g>"));
    }

    fn text(&mut self, class: &str, x: f64, y: f64, size: f64, text: &str) {
        self.line(format_args!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" font-size=\"{size}\" \
             text-anchor=\"middle\">{}</text>",
            round(x),
            round(y),
            escaped(text)
        ));
    }
}

/// Rounds to a tenth of a pixel.
fn round(pixels: f64) -> f64 {
    let rounded = (pixels * 10.0).round() / 10.0;
    // Not minus zero.
    if rounded == 0.0 { 0.0 } else { rounded }
}

fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < f64::EPSILON
}

/// Escapes a text; what XML cannot hold is shown as a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | '\r' => out.push(' '),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            _ => out.push(character),
        }
    }
    out
}
