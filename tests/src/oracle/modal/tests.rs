use super::{Firmware, Machine};

/// Reads the lines and shows the fields asked for, as `name=value`.
fn shown(firmware: Firmware, program: &str, names: &[&str]) -> String {
    let mut machine = Machine::new(firmware);
    for line in program.split('\n') {
        machine.read(line).unwrap_or_else(|error| panic!("{error}"));
    }
    let fields = machine.fields();
    let told = names.iter().map(|name| {
        let value = fields.iter().find(|(field, _)| field == name);
        let value = value.unwrap_or_else(|| panic!("no field {name}")).1;
        format!("{name}={value}")
    });
    told.collect::<Vec<_>>().join(" ")
}

/// Every answer here was worked out by hand from the documents.
#[test]
fn mills_are_read_as_the_documents_say() {
    let check = |program: &str, want: &str| {
        let names: Vec<&str> = want
            .split(", ")
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, _)| name)
            .collect();
        let got = shown(Firmware::Grbl, program, &names);
        assert_eq!(got, want.replace(", ", " "), "{program:?}");
    };
    check(
        "",
        "motion=G0, plane=G17, units=G21, distance=G90, feed mode=G94, coordinate system=G54, spindle=M5, feed=0",
    );
    check(
        "f 100 (a)\ng 1 x1 . 5(b)y-.25;Z9",
        "motion=G1, x=1.5, y=-0.25, z=0, feed=100",
    );
    check("G20 F10\nG1X1\nG21\nX1 F50", "x=1, feed=50, units=G21");
    check(
        "F100\nG1 G91 X1\nX1\nG90 Y2\nG91 Y1",
        "x=2, y=3, distance=G91",
    );
    check(
        "G10 L2 P2 X10 Y20\nG55\nG0 X1 Y1",
        "x=11, y=21, work x=1, g55 x=10, coordinate system=G55",
    );
    check("G0 X5\nG10 L20 P0 X1\nG0 X2", "g54 x=4, x=6");
    check("G0 X5\nG92 X1\nG0 X2", "g92 x=4, x=6, work x=2");
    check("G0 X5\nG92 X1\nG92.1\nG0 X2", "g92 x=0, x=2");
    check(
        "G43.1 Z-3\nG0 Z1",
        "tool length=-3, z=-2, tool length mode=G43.1",
    );
    check("G43.1 Z-3\nG0 Z1\nG49", "tool length=0, z=-2, work z=-2");
    check("G10 L2 P1 X10\nG53 G0 X3\nG0 X3", "x=13");
    check(
        "G0 X1 Y2 Z3\nG28.1\nG0 X9 Y9 Z9\nG28 Z5",
        "x=9, y=9, z=3, g28 x=1",
    );
    check("G0 X1 Y2 Z3\nG30.1\nG0 X9 Y9 Z9\nG30", "x=1, y=2, z=3");
    check("G93 F2 G1 X1\nG94", "feed=0, feed mode=G94");
    check("F300\nG93\nG1 X1 F2\nG94 F20", "feed=20");
    check(
        "G18 G91 G55 M3 S900 M8 T3\nG1 F9 X1\nM30",
        "plane=G17, distance=G90, coordinate system=G54, spindle=M5, speed=900, flood=off, motion=G1, feed=9, tool=3, x=1",
    );
    check("M4 S1\nM7\nM8\nM9\nM3", "spindle=M3, mist=off, flood=off");
    check("F1 G2 X2 I1\nG3 X0 I-1", "motion=G3, x=0");
    check("/G0 X1\n%\nN10 G0 Y1", "x=1, y=1");
}

#[test]
fn printers_are_read_as_the_documents_say() {
    let check = |program: &str, want: &str| {
        let names: Vec<&str> = want
            .split(", ")
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, _)| name)
            .collect();
        let got = shown(Firmware::Marlin, program, &names);
        assert_eq!(got, want.replace(", ", " "), "{program:?}");
    };
    check("", "distance=G90, extruder=M82, feed=1500, e=0, tool=0");
    check("G1 X1 Y2 E3 F600\nG1 E4", "x=1, y=2, e=4, feed=600");
    check(
        "G91\nG1 X1 E1\nG1 X1 E1\nM82\nG1 X1 E1",
        "x=3, e=1, extruder=M82, distance=G91",
    );
    check("M83\nG1 E2\nG1 E2\nG90\nG1 E1", "e=1, extruder=M82");
    check(
        "G1 X5 Y5 E5\nG92 X0 E0\nG1 X1 E1",
        "x=6, work x=1, y=5, e=1",
    );
    check("G1 X5 E5\nG92 X0 E0\nG92.1\nG1 E2", "work x=5, e=2");
    check("G1 X5 Y5\nG92 X0 Y0\nG28 X", "x=0, y=5, work y=0");
    check("G20\nG1 X1 F10", "x=25.4, feed=254");
    check(
        "M104 S200\nM109 R190\nM140 S60\nM190 R50\nM141 S40",
        "hotend 0=190, bed=50, chamber=40",
    );
    check(
        "T1\nM104 S200\nM104 T0 S180",
        "hotend 0=180, hotend 1=200, tool=1",
    );
    check(
        "M106 S214.2\nM106 P1 S99\nM106 P2",
        "fan 0=214, fan 1=99, fan 2=255",
    );
    check("M106\nM107", "fan 0=0");
    check(
        "M220 S80\nM220 B\nM220 S120\nM221 S95",
        "feed percent=120, flow percent=95, feed percent kept=80",
    );
    check("M220 S80\nM220 B\nM220 S120\nM220 R", "feed percent=80");
    check(
        "M204 S500\nM204 T900\nM203 X100 E30\nM205 J0.02",
        "m204 P=500, m204 T=900, m203 X=100, m203 E=30, m205 J=0.02",
    );
    check(
        "M900 K0.05\nM420 S1 Z10\nM290 Z0.1\nM290 S0.05",
        "pressure advance=0.05, mesh=on, mesh fade=10, babystep z=0.15000000000000002",
    );
    check(
        "M486 T5\nM486 S2 A\"part (1)\"\nM486 C\nM486 P4\nM486 P3\nM486 U4",
        "object=2, object 2 cancelled=1, object 3 cancelled=1",
    );
    check("M117 G1 X9\nN12 G1 X1*33\n;G1 X5\nG10", "x=1, retracted=in");
    check("M3 S9\nG1 X1\nM5", "spindle=M5, speed=9");
}

#[test]
fn what_grbl_refuses_changes_nothing() {
    for (line, why) in [
        ("G64", "grbl has no G64"),
        ("M6", "grbl has no M6"),
        ("G0 X1 E2", "grbl has no word E"),
        ("G1 X1", "a cut without a feed rate"),
        ("G80 X1", "axis words after G80"),
        ("X", "`X` has no number"),
        ("G0 X1 X2", "X stands there twice"),
        ("$H", "a setting is no line of a program"),
        ("G10 L2 P9 X1", "there is no system P9"),
    ] {
        let mut machine = Machine::new(Firmware::Grbl);
        let before = machine.fields();
        let refused = machine.read(line).expect_err(line);
        assert_eq!(refused.to_string(), format!("`{line}`: {why}"));
        assert_eq!(machine.fields(), before, "{line}");
    }
}

#[test]
fn states_are_compared_field_by_field() {
    let fields = |program: &str| {
        let mut machine = Machine::new(Firmware::Grbl);
        program.lines().for_each(|line| machine.read(line).unwrap());
        machine.fields()
    };
    let (a, b) = (fields("G0 X1 T1"), fields("G18 G0 X1.0000001"));
    let told: Vec<String> = a.differences(&b).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "plane: G17 against G18",
            "tool: 1 against nothing",
            "work x: 1 against 1.0000001",
            "x: 1 against 1.0000001"
        ]
    );
    assert_eq!(a.contradictions(&b).len(), 3);
    assert_eq!(a.differences(&fields("G0 X1.00000000000001 T1")), []);
}
