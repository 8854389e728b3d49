//! Tokens: one table a flavor. A token is shown in a short notation, so that a row fits a line.

mod common;

use common::{code_like, flavors};
use feedhold_gcode_parse::{
    Block, Code, CommentKind, Fault, FaultKind, Flavor, Label, Token, Value, checksum, tokens,
};
use proptest::prelude::*;

/// `X=1.5`, `N5`, `(text)`, `;text`, `!column reason`.
fn show(token: &Token<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let value = |value: &Value<'_>| match value {
        Value::Number(n) => format!("={n}"),
        Value::Parameter(p) | Value::Expression(p) => format!("={}", text(p)),
        Value::Text(t) => format!("=\"{}\"", text(t)),
        Value::None => String::new(),
        other => format!("{other:?}"),
    };
    match token {
        Token::BlockDelete => "/".into(),
        Token::TapeMark => "%".into(),
        Token::LineNumber(n) => format!("N{n}"),
        Token::Word(w) => format!("{}{}", char::from(w.letter), value(&w.value)),
        Token::OWord(o) => {
            let label = match o.label {
                Label::Number(n) => n.to_string(),
                Label::Name(n) => format!("<{}>", text(n)),
                Label::Expression(e) => text(e),
            };
            let keyword = o.keyword.map_or("-", |keyword| keyword.name());
            format!("O{label}:{keyword}:{}", text(o.arguments))
        }
        Token::Assignment(a) => format!("{}:{}", text(a.target), value(&a.value)),
        Token::Comment(c) => match c.kind {
            CommentKind::Paren => format!("({}{}", text(c.text), if c.closed { ")" } else { "" }),
            CommentKind::Semicolon => format!(";{}", text(c.text)),
            CommentKind::Active(kind) => format!("({kind:?}:{})", text(c.text)),
        },
        Token::Checksum(n) => format!("*{n}"),
        Token::Setting(s) => text(s),
        Token::Text(t) => format!("\"{}\"", text(t)),
        Token::Invalid(Fault { column, kind }) => format!("!{column} {kind:?}"),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(flavor: Flavor, rows: &[(&str, &[&str])]) {
    for (line, expected) in rows {
        let found: Vec<_> = tokens(flavor, line.as_bytes())
            .map(|token| show(&token))
            .collect();
        assert_eq!(found, *expected, "{flavor}: {line:?}");
    }
}

#[test]
fn grbl() {
    check(
        Flavor::Grbl,
        &[
            ("", &[]),
            (" \t ", &[]),
            ("G1X1Y-2.5F300", &["G=1", "X=1", "Y=-2.5", "F=300"]),
            ("g 0 1 x 1 0 . 5", &["G=0 1", "X=1 0 . 5"]),
            ("X - 5 Y+.5", &["X=- 5", "Y=+.5"]),
            ("N10 G0", &["N10", "G=0"]),
            ("/N5G0", &["/", "N5", "G=0"]),
            (" / G0", &["/", "G=0"]),
            ("(a)/G0", &["(a)", "/", "G=0"]),
            ("G0/X1", &["G=0", "!3 StrayByte(47)", "X=1"]),
            ("%", &["%"]),
            ("G0 (a;b) X1 ; c (d)", &["G=0", "(a;b)", "X=1", "; c (d)"]),
            (
                "(a (b) c)",
                &["(a (b)", "!8 MissingValue(67)", "!9 StrayByte(41)"],
            ),
            ("(open", &["(open"]),
            (
                "(MSG, hi) (msg) (PROBEOPEN f.txt) (LOGCLOSE)",
                &["(Message: hi)", "(msg)", "(ProbeOpen:f.txt)", "(LogClose:)"],
            ),
            ("$H", &["$H"]),
            ("/ $G1", &["/", "$G1"]),
            ("  $110=500 ; slow", &["$110=500", "; slow"]),
            ("$N0=G20 (inches)", &["$N0=G20", "(inches)"]),
            ("$N0=G20(a)G91", &["$N0=G20(a)G91"]),
            ("$J=G91 X5 F100", &["$J=G91 X5 F100"]),
            ("G0 $H", &["G=0", "!4 StrayByte(36)", "!5 MissingValue(72)"]),
            ("X", &["!1 MissingValue(88)"]),
            ("X Y5", &["!1 MissingValue(88)", "Y=5"]),
            ("X-", &["!2 BadNumber"]),
            ("X. Y1", &["!2 BadNumber", "Y=1"]),
            ("X--1 Y2", &["!2 BadNumber", "Y=2"]),
            ("X1.2.3Y4", &["X=1.2", "!5 StrayNumber", "Y=4"]),
            ("12 G0", &["!1 StrayNumber", "G=0"]),
            (
                "G0 X1*33",
                &["G=0", "X=1", "!6 StrayByte(42)", "!7 StrayNumber"],
            ),
            ("G0 \u{e9} X1", &["G=0", "!4 NonAscii(195)", "X=1"]),
            ("G0 X1\0\0\0", &["G=0", "X=1", "!6 Nul"]),
            ("!!!! G0", &["!1 StrayByte(33)", "G=0"]),
            ("G1 X#1 Y[1+2]", &["G=1", "X=#1", "Y=[1+2]"]),
            ("O100 sub", &["O100:sub:"]),
            ("G1e5", &["G=1", "E=5"]),
        ],
    );
}

#[test]
fn marlin() {
    check(
        Flavor::Marlin,
        &[
            (
                "G1 X1 Y2 E.5 ; move",
                &["G=1", "X=1", "Y=2", "E=.5", "; move"],
            ),
            ("G28 X Y", &["G=28", "X", "Y"]),
            ("G1 X 10 Y1", &["G=1", "X=10", "Y=1"]),
            ("G1 X1 0", &["G=1", "X=1", "!7 StrayNumber"]),
            ("N5 G1 X1*97", &["N5", "G=1", "X=1", "*97"]),
            ("N5 M110 N0*33", &["N5", "M=110", "N=0", "*33"]),
            (
                "M117 Hello (world); shown",
                &["M=117", "\"Hello (world)\"", "; shown"],
            ),
            ("N1 M117 a * b*12", &["N1", "M=117", "\"a * b\"", "*12"]),
            ("m117", &["M=117"]),
            ("M23 /DIR/file.gco", &["M=23", "\"/DIR/file.gco\""]),
            ("M118 A1 done", &["M=118", "\"A1 done\""]),
            ("M115 U6.3.0+10073", &["M=115", "\"U6.3.0+10073\""]),
            (
                "M0 S5 P2 Change it",
                &["M=0", "S=5", "P=2", "\"Change it\""],
            ),
            ("M1 Please wait", &["M=1", "\"Please wait\""]),
            ("M104 S200", &["M=104", "S=200"]),
            ("G1 M117", &["G=1", "M=117"]),
            ("T0", &["T=0"]),
            ("T?", &["T=\"?\""]),
            ("Tx", &["T=\"x\""]),
            ("M862.3 P \"COREONE\"", &["M=862.3", "P=\"COREONE\""]),
            (r#"M555 P"a \" b" S1"#, &["M=555", r#"P="a \" b""#, "S=1"]),
            ("M555 P\"open", &["M=555", "!7 UnclosedQuote"]),
            ("N1 G0*1X2*3", &["N1", "G=0", "!6 AfterChecksum", "*3"]),
            ("G1 P\"open ; X1", &["G=1", "!5 UnclosedQuote", "; X1"]),
            ("G1 P\"a;b\" X1;c", &["G=1", "P=\"a;b\"", "X=1", ";c"]),
            ("M10\"g\";\"", &["M=10", "!4 StrayByte(34)", ";\""]),
            ("M10\"a;X1\" Y2", &["M=10", "!4 StrayByte(34)", "Y=2"]),
            ("M117 \"a;b\" ; c", &["M=117", "\"\"a;b\"\"", "; c"]),
            ("M117 5\" ; c", &["M=117", "\"5\"\"", "; c"]),
            (
                "(not a comment)",
                &[
                    "!1 StrayByte(40)",
                    "N",
                    "O",
                    "T",
                    "A",
                    "C",
                    "O",
                    "M",
                    "M",
                    "E",
                    "N",
                    "T",
                    "!15 StrayByte(41)",
                ],
            ),
            ("/G0", &["!1 StrayByte(47)", "G=0"]),
            ("$H", &["!1 StrayByte(36)", "H"]),
            (
                "G1 X[1]",
                &[
                    "G=1",
                    "X",
                    "!5 StrayByte(91)",
                    "!6 StrayNumber",
                    "!7 StrayByte(93)",
                ],
            ),
            ("G1 X-", &["G=1", "!5 BadNumber"]),
            ("N1 G0*", &["N1", "G=0", "!6 BadChecksum"]),
            ("N1 G0*256", &["N1", "G=0", "!6 BadChecksum"]),
            (
                "N1 G0*12 X1 ; c",
                &["N1", "G=0", "*12", "!10 AfterChecksum", "; c"],
            ),
            ("O5", &["O=5"]),
        ],
    );
}

#[test]
fn linux_cnc() {
    check(
        Flavor::LinuxCnc,
        &[
            ("N30T#<toolno>M6", &["N30", "T=#<toolno>", "M=6"]),
            ("#<x> = 1.0", &["#<x>:=1.0"]),
            ("#1=#2 #[3+4] = [5*[6-7]]", &["#1:=#2", "#[3+4]:=[5*[6-7]]"]),
            (
                "Z[#<zscale>*10.]X##5Y-#6",
                &["Z=[#<zscale>*10.]", "X=##5", "Y=-#6"],
            ),
            (
                "Xsin[30]Y atan[1] / [2] Z1",
                &["X=sin[30]", "Y=atan[1] / [2]", "Z=1"],
            ),
            ("o100 sub", &["O100:sub:"]),
            (
                "O<bore> CALL [1] [#2] (go)",
                &["O<bore>:call:[1] [#2]", "(go)"],
            ),
            ("o101 if [#1 GT 2]", &["O101:if:[#1 GT 2]"]),
            ("O[#1+1] endsub", &["O[#1+1]:endsub:"]),
            ("O1234", &["O1234:-:"]),
            ("G1 @10 ^45", &["G=1", "@=10", "^=45"]),
            ("#5", &["!1 MissingEquals"]),
            (
                "#=5",
                &["!1 BadParameter", "!2 StrayByte(61)", "!3 StrayNumber"],
            ),
            ("X[1+2", &["!2 UnclosedBracket"]),
            ("X#<a", &["!3 UnclosedName"]),
            ("#1=", &["!3 MissingValue(61)"]),
            ("[1]", &["!1 StrayByte(91)"]),
            ("(open", &["(open"]),
            ("X1;py,print", &["X=1", ";py,print"]),
        ],
    );
}

#[test]
fn blocks_keep_what_stands_between_faults() {
    let block = Block::parse(Flavor::Grbl, b"/N7 G01 Xbad Y2 (c) M3");
    assert!(block.block_delete() && block.has_comment() && !block.is_empty());
    assert_eq!(block.line_number().and_then(|n| n.to_u64()), Some(7));
    assert!(block.has_g(Code::new(1)) && !block.has_g(Code::new(10)) && block.has_m(Code::new(3)));
    assert_eq!(
        block
            .word(b'Y')
            .and_then(|w| w.number())
            .map(|n| n.to_f64()),
        Some(2.0)
    );
    // B, A and D are letters as well: one fault each.
    assert_eq!(block.fault_count(), 4);
    assert!(Block::parse(Flavor::Grbl, b"  (only) ; this").is_empty());
    assert!(!Block::parse(Flavor::Grbl, b"%").is_empty());
}

#[test]
fn a_block_holds_thirty_two_words() {
    let line = (0..40).map(|i| format!("X{i} ")).collect::<String>();
    let block = Block::parse(Flavor::Marlin, line.as_bytes());
    assert_eq!(block.words().len(), 32);
    let values: Vec<_> = block
        .words()
        .iter()
        .filter_map(|w| w.number()?.to_u64())
        .collect();
    assert_eq!(values, (0..32).collect::<Vec<_>>());
    assert_eq!(block.fault_count(), 8);
    assert!(
        block
            .faults()
            .iter()
            .all(|fault| fault.kind == FaultKind::TooManyWords)
    );
}

#[test]
fn rare_things_are_found_in_a_block() {
    let block = Block::parse(Flavor::LinuxCnc, b"#1=2 O5 call [3] (a) ;b");
    assert_eq!(block.assignments().count(), 1);
    assert_eq!(block.o_word().map(|o| o.arguments), Some(&b"[3]"[..]));
    assert_eq!(block.comments().count(), 2);
    assert_eq!(
        Block::parse(Flavor::Grbl, b"$$").setting(),
        Some(&b"$$"[..])
    );
    assert_eq!(
        Block::parse(Flavor::Marlin, b"M117 Hi").text(),
        Some(&b"Hi"[..])
    );
}

#[test]
fn what_a_firmware_cannot_compute_is_a_fault_of_the_block() {
    for (flavor, line, kinds) in [
        (
            Flavor::Grbl,
            "G1 X#1",
            &[FaultKind::ParameterUnsupported][..],
        ),
        (Flavor::Grbl, "#1=[2]", &[FaultKind::ParameterUnsupported]),
        (
            Flavor::Grbl,
            "G1 X[1] Y-#2",
            &[
                FaultKind::ExpressionUnsupported,
                FaultKind::ExpressionUnsupported,
            ],
        ),
        (Flavor::Grbl, "O5 sub", &[FaultKind::OWordUnsupported]),
        (Flavor::Grbl, "(open", &[]),
        (Flavor::LinuxCnc, "(open", &[FaultKind::UnclosedComment]),
        (Flavor::LinuxCnc, "G1 X#1 Y[1]", &[]),
        (Flavor::Grbl, "N1 N2", &[FaultKind::RepeatedLineNumber]),
    ] {
        let block = Block::parse(flavor, line.as_bytes());
        let found: Vec<_> = block.faults().iter().map(|fault| fault.kind).collect();
        assert_eq!(found, kinds, "{flavor}: {line}");
    }
}

#[test]
fn checksums() {
    for (line, right) in [
        ("N3 T0*57", Some(true)),
        (" N3 T0*57", Some(true)),
        ("N3 T0*58", Some(false)),
        ("N3 T0", None),
        ("N3 T0 *25", Some(true)),
    ] {
        assert_eq!(
            Block::parse(Flavor::Marlin, line.as_bytes()).checksum_ok(),
            right,
            "{line}"
        );
    }
    assert_eq!(checksum(b""), 0);
}

#[test]
fn faults_say_where_and_what() {
    let block = Block::parse(Flavor::Grbl, b"G1 X1 \x01");
    assert_eq!(
        block.faults()[0].to_string(),
        "column 7: byte 0x01 has no meaning here"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_never_panic(line in proptest::collection::vec(any::<u8>(), 0..80), flavor in flavors()) {
        let _ = tokens(flavor, &line).count();
        let _ = Block::parse(flavor, &line);
    }

    #[test]
    fn spans_go_forward_and_hold_their_words(line in code_like(), flavor in flavors()) {
        let mut last = 0;
        for token in tokens(flavor, &line) {
            let span = match token {
                Token::Word(word) => {
                    prop_assert_eq!(line[word.span.start].to_ascii_uppercase(), word.letter);
                    if let Value::Number(number) = word.value {
                        prop_assert!(line[word.span.range()].ends_with(number.text()));
                        prop_assert!(feedhold_gcode_parse::Number::new(number.text()).is_some());
                    }
                    word.span
                }
                Token::Comment(comment) => comment.span,
                _ => continue,
            };
            prop_assert!(span.start >= last && span.start < span.end && span.end <= line.len());
            last = span.end;
        }
    }

    #[test]
    fn a_block_holds_the_words_of_its_tokens(line in code_like(), flavor in flavors()) {
        let block = Block::parse(flavor, &line);
        let words: Vec<_> =
            tokens(flavor, &line).filter_map(|t| if let Token::Word(w) = t { Some(w) } else { None }).take(32).collect();
        prop_assert_eq!(block.words(), &words[..]);
        let comments = tokens(flavor, &line).filter(|t| matches!(t, Token::Comment(_))).count();
        prop_assert_eq!(block.comments().count(), comments);
    }

    #[test]
    fn case_and_blanks_mean_nothing_to_grbl(x in -9999..9999_i32, y in 0..9999_u32) {
        let spaced = format!(" g 1 x {x} y 0.{y:04} ");
        let tight = format!("G1X{x}Y0.{y:04}");
        let read = |line: &str| -> Vec<_> {
            let block = Block::parse(Flavor::Grbl, line.as_bytes());
            block.words().iter().map(|w| (w.letter, w.number().map(|n| n.to_f64().to_bits()))).collect()
        };
        prop_assert_eq!(read(&spaced), read(&tight));
    }
}
