# SPDX-License-Identifier: BSD-2-Clause
#
# One table of results.json ($table) as plots.gnuplot reads it, a line for each figure:
#
#   where  name  median  lower quartile  upper quartile  colour  median as text
#
# As "bars" ($form): where is from top to bottom, and each column of the table has a heading where there are several.
# As "lines": where is the number of the column, and the rows are divided by two empty lines.

def thousands: if length > 3 then (.[:-3] | thousands) + "," + .[-3:] else . end;
def text: if . >= 100 then round | tostring | thousands else (. * 10 | round) / 10 | tostring end;
def colour:
  if test("^ours.*miss|^unrelated") then "0x7fb3d5"
  elif test("^ours|^extra port") then "0x1f6f9f"
  elif test("^direct|^empty|^floor") then "0x444444"
  else "0xb0b0b0" end;
def figure($where; $name):
  "\($where) \"\($name)\" \(.median) \(.low) \(.high) \($name | colour) \"\(.median | text)\"";

.tables[] | select(.name == $table) | . as $all
| if $form == "lines" then
    .rows[] | .name as $name
    | (.cells | to_entries[] | .key as $i | .value | figure($i; $name)), "", ""
  else
    (.rows | length + 1) as $height
    | range(.columns | length) as $column
    | (if ($all.columns | length) > 1 then "\($column * $height) \"{/:Bold \($all.columns[$column])}\" NaN NaN NaN 0 \"\""
       else empty end),
      (range($all.rows | length) as $row
       | $all.rows[$row] | .name as $name | .cells[$column] | select(.) | figure($column * $height + $row + 1; $name))
  end
