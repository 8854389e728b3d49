use super::*;

const PROGRAM: &str = "G0 Z5\nG0 X1 Y2\nM3 S100\nG1 Z-1 F50\nG1 X3\nG1 X4\nG0 Z5\n";

fn planned() -> Plan {
    let (at, ahead) = read(Dialect::Grbl, PROGRAM, 5);
    Plan::new(5, 40, &at, &ahead).expect("a plan").beside(3, 6)
}

#[test]
fn a_plan_says_what_it_does_and_is_gcode() {
    insta::assert_snapshot!(planned());
    insta::assert_snapshot!(Plan::seamless(7, 100));
}

#[test]
fn an_edited_plan_is_taken_back() {
    let plan = planned();
    assert_eq!(plan.clone().edited(&plan.to_string()), Ok(plan.clone()));
    let edited = plan
        .clone()
        .edited("G0 Z20 ; higher\n\n(by hand)\nM3 S90\n; the job goes on with line 6\n")
        .expect("a plan for this place");
    let lines: Vec<_> = edited
        .approach
        .iter()
        .map(|step| step.line.as_str())
        .collect();
    assert_eq!(lines, ["G0 Z20", "(by hand)", "M3 S90"]);
    assert_eq!(edited.repeats, plan.repeats);
    let refusal = plan
        .edited("G0 Z20\n; the job goes on with line 9\n")
        .expect_err("another place");
    assert_eq!(refusal.code(), "plan-unusable");
}

#[test]
fn what_is_repeated_and_left_out_is_named() {
    let lines = |first, last| Some(InDoubt { first, last });
    let at = |done, executed, last| {
        let plan = Plan::seamless(done, 0).beside(executed, last);
        (plan.repeats, plan.skips)
    };
    assert_eq!(at(5, 5, 5), (None, None));
    assert_eq!(at(5, 3, 9), (lines(6, 9), lines(4, 5)));
    assert_eq!(at(2, 3, 9), (lines(3, 9), None));
    assert_eq!(at(20, 3, 9), (None, lines(4, 20)));
}

#[test]
fn settings_of_an_approach_have_ranges() {
    assert!(Approach::new().clearance_mm(-1.0).is_err());
    assert!(Approach::new().prime_mm(201.0).is_err());
    let error = Approach::new()
        .safe_z_machine(f64::NAN)
        .expect_err("no number");
    assert_eq!(
        error.to_string(),
        "the safe height has to be between -1000 and 1000 mm"
    );
}
