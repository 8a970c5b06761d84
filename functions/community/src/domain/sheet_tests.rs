//! Which rows are taken, and what is said about the others.

use super::*;

fn sheet(text: &str) -> Sheet {
    let mut lines = text
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().unwrap_or_default();
    let rows = (2..).zip(lines).collect();
    Sheet { header, rows }
}

fn told(faults: &Faults) -> Vec<(u32, &str, &str)> {
    faults
        .first
        .iter()
        .map(|fault| (fault.row, fault.column.as_deref().unwrap_or(""), fault.code))
        .collect()
}

#[test]
fn a_wrong_column_is_named() {
    let (rows, faults) = room_rows(&sheet("楼栋,颜色,房号,楼栋\n1栋,red,101,1栋"));
    assert!(rows.is_empty());
    assert_eq!(
        told(&faults),
        [
            (1, "颜色", "column_unknown"),
            (1, "楼栋", "column_twice"),
            (1, "面积", "column_missing")
        ]
    );
}

#[test]
fn a_row_says_what_is_wrong_in_which_column() {
    let text = "building,number,面积（㎡）*,floor,use\n\
        1栋,101,89.5,1,住宅\n\
        ,102,大,1,住宅\n\
        1号楼,0101,90,1,住宅\n\
        1栋,103,90,999,castle";
    let (rows, faults) = room_rows(&sheet(text));
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].row, rows[0].area_dm2), (2, 8950));
    assert_eq!(rows[0].unit.as_str(), "1单元");
    assert_eq!(
        told(&faults),
        [
            (3, "楼栋", "cell_missing"),
            (3, "面积", "cell_invalid"),
            (5, "楼层", "cell_invalid"),
            (5, "用途", "cell_invalid"),
            (4, "房号", "duplicate_in_file")
        ]
    );
    assert_eq!(faults.rows(), 3);
    let says = &faults.first[4].message;
    assert!(says.english.contains("row 2") && says.chinese.contains("第 2 行"));
}

#[test]
fn a_person_stands_once_for_a_room_and_a_number_has_one_name() {
    let text = "房屋,姓名,手机号,身份,起始日期,截止日期\n\
        1-1-101,李雷,13800138000,业主,2026-03-01,\n\
        1栋1单元101,李雷,138 0013 8000,家属,,\n\
        1-1-102,韩梅梅,13800138000,租户,,\n\
        1-1-103,王五,123,房东,2026-03-02,2026-03-01";
    let (rows, faults) = resident_rows(&sheet(text));
    assert_eq!(rows.len(), 1);
    assert_eq!(
        told(&faults),
        [
            (5, "手机号", "cell_invalid"),
            (5, "身份", "cell_invalid"),
            (5, "截止日期", "term_invalid"),
            (3, "房屋", "duplicate_in_file"),
            (4, "手机号", "phone_of_another")
        ]
    );
}

#[test]
fn a_plate_needs_a_room_and_a_space_has_one() {
    let text = "车位,房屋,车牌\n\
        A-1,1-1-101,京A12345\n\
        A-1,1-1-101,京AD12345\n\
        A-1,1-1-102,\n\
        ,,京A11111\n\
        ,1-1-101,京a·12345\n\
        A-2,,";
    let (rows, faults) = parking_rows(&sheet(text));
    assert_eq!(
        rows.iter().map(|row| row.row).collect::<Vec<_>>(),
        [2, 3, 7]
    );
    assert_eq!(
        told(&faults),
        [
            (5, "房屋", "cell_missing"),
            (6, "车牌", "duplicate_in_file"),
            (4, "房屋", "space_of_another")
        ]
    );
}

#[test]
fn too_many_rows_and_too_many_faults_are_bounded() {
    let rows = |count: u32| {
        (0..count)
            .map(|row| (row + 2, vec![String::new()]))
            .collect()
    };
    let header = ["楼栋", "房号", "面积"].map(str::to_owned).to_vec();
    let large = Sheet {
        header: header.clone(),
        rows: rows(10_001),
    };
    assert_eq!(told(&room_rows(&large).1), [(10_002, "", "rows_too_many")]);
    let wrong = Sheet {
        header,
        rows: rows(400),
    };
    let (_, faults) = room_rows(&wrong);
    assert_eq!(
        (faults.first.len(), faults.total, faults.rows()),
        (500, 1_200, 400)
    );
}
