//! What holds for every picture.

use value::Value;

use super::layout::{Drawing, Rectangle, layout};
use super::{Progress, draw, draw_execution, model};

/// Numbers that look random and are always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Returns a machine of `count` states with every kind of edge.
fn machine(numbers: &mut Numbers, count: usize, depth: usize) -> Value {
    let name = |index: usize| {
        format!("{}{index}", ["Step", "状態の名前", "a rather long name of "][index % 3])
    };
    let mut states = Value::object();
    for index in 0..count {
        let next = name(numbers.below(count));
        let mut state =
            value::value!({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:getUser"});
        match numbers.below(6) {
            0 => {
                let rules: Vec<Value> = (0..=numbers.below(4))
                    .map(|number| {
                        value::value!({"Condition": format!("{{% $x = {number} %}}"),
                        "Next": name(numbers.below(count))})
                    })
                    .collect();
                state = value::value!({"Type": "Choice", "Choices": rules, "Default": next});
            }
            1 if depth > 0 => {
                let branches: Vec<Value> = (0..2).map(|_| machine(numbers, 3, depth - 1)).collect();
                state = value::value!({"Type": "Parallel", "Branches": branches, "Next": next});
            }
            2 => {
                state.set("End", true);
                state.set("Catch", value::value!([{"ErrorEquals": ["States.ALL"], "Next": next}]));
            }
            _ => {
                state.set("Next", name((index + 1) % count));
            }
        }
        states.set(name(index), state);
    }
    value::value!({"StartAt": name(0), "States": states})
}

fn overlap(one: &Rectangle, other: &Rectangle) -> bool {
    one.x < other.x + other.width
        && other.x < one.x + one.width
        && one.y < other.y + other.height
        && other.y < one.y + one.height
}

fn check(drawing: &Drawing<'_>) {
    let labels = drawing.lines.iter().filter_map(|line| line.label);
    let places: Vec<Rectangle> = drawing.boxes.iter().map(|one| one.place).chain(labels).collect();
    for (index, place) in places.iter().enumerate() {
        assert!(0.0 <= place.x && place.x + place.width <= drawing.width, "{place:?}");
        assert!(0.0 <= place.y && place.y + place.height <= drawing.height, "{place:?}");
        for other in &places[index + 1..] {
            assert!(!overlap(place, other), "{place:?} {other:?}");
        }
    }
    for line in &drawing.lines {
        let (from, to) = (drawing.boxes[line.edge.from].place, drawing.boxes[line.edge.to].place);
        let on = |place: Rectangle, (x, y): (f64, f64)| {
            (place.x..=place.x + place.width).contains(&x)
                && (place.y..=place.y + place.height).contains(&y)
        };
        assert!(on(from, line.points[0]) && on(to, *line.points.last().unwrap()), "{line:?}");
    }
    for one in &drawing.boxes {
        for (index, (x, y, inside)) in one.inside.iter().enumerate() {
            assert!(x + inside.width <= one.place.width && y + inside.height <= one.place.height);
            if let Some((next, _, _)) = one.inside.get(index + 1) {
                assert!(x + inside.width <= *next);
            }
            check(inside);
        }
    }
}

#[test]
fn nothing_overlaps_and_every_edge_joins_its_states() {
    let mut numbers = Numbers(7);
    for count in [1, 2, 3, 5, 8, 13, 21, 40] {
        for _ in 0..6 {
            let definition = machine(&mut numbers, count, 2);
            let machine = model::machine(&definition);
            let drawing = layout(&machine);
            assert_eq!(drawing.lines.len(), machine.edges.len());
            check(&drawing);
        }
    }
}

#[test]
fn the_same_machine_gives_the_same_picture_with_every_name() {
    let definition = machine(&mut Numbers(1), 30, 1);
    let picture = draw(&definition);
    assert_eq!(picture, draw(&definition));
    for (name, _) in definition.get("States").and_then(Value::as_object).unwrap().iter() {
        assert!(picture.contains(&format!("data-state=\"{name}\"")), "{name}");
    }
    assert!(picture.contains("class=\"e k\""), "what is caught is dashed");
}

#[test]
fn names_cannot_break_the_picture() {
    let definition = r#"{"StartAt": "<a & \"b\">\u0001", "States": {"<a & \"b\">\u0001": {"Type": "Pass", "End": true}}}"#;
    let picture = draw(&value::parse(definition).unwrap());
    assert!(picture.contains("&lt;a &amp; &quot;b&quot;&gt;\u{fffd}"), "{picture}");
    for wrong in ["{}", "[]", r#"{"States": 1}"#, r#"{"States": {"A": 1}, "StartAt": 2}"#] {
        assert!(draw(&value::parse(wrong).unwrap()).ends_with("</svg>\n"));
    }
}

#[test]
fn large_machines_are_laid_out() {
    let drawing = machine(&mut Numbers(3), 605, 0);
    let machine = model::machine(&drawing);
    assert!(layout(&machine).boxes.len() > 600);
}

#[test]
fn what_was_not_reached_does_not_look_as_if_it_were() {
    let definition = value::value!({"StartAt": "Wait", "States": {
        "Wait": {"Type": "Wait", "Seconds": 9, "Next": "Done"},
        "Done": {"Type": "Succeed"},
    }});
    let entered = value::value!({
        "id": 2, "previousEventId": 0, "type": "WaitStateEntered",
        "stateEnteredEventDetails": {"name": "Wait"},
    });
    let class = |picture: &str| picture.contains("<rect class=\"succeed\"");
    assert!(class(&draw(&definition)));
    assert!(!class(&draw_execution(&definition, &Progress::of(&[entered]))));
}
