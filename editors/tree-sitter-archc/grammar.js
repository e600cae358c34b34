/// <reference types="tree-sitter-cli/dsl" />
// The `.arch` language for editors; the compiler's own grammar is grammar/arch.pest. A newline ends a step, but not before
// `->` and `else`; that, and whether a brace opens a label, is told by src/scanner.c.

const PREC = { or: 1, and: 2, not: 3, compare: 4, sum: 5, product: 6, negative: 7 };

const commaSep1 = (rule) => seq(rule, repeat(seq(",", rule)), optional(","));

module.exports = grammar({
  name: "archc",
  word: ($) => $.identifier,
  extras: ($) => [/\s/, $.doc_comment, $.comment],
  externals: ($) => [$._end, $._label_open],
  supertypes: ($) => [$.expression],

  rules: {
    source_file: ($) => lines($, $._item),

    _item: ($) => choice($.import, $.set, $.block, $.model, $.train),

    import: ($) => seq("import", $.identifier, repeat(seq(",", $.identifier)), "from", $.string),
    set: ($) => seq("set", field("layer", $.identifier), $.arguments),
    block: ($) => seq("block", field("name", $.identifier), optional($.parameters), $.body),
    model: ($) => seq("model", field("name", $.identifier), optional($.parameters), $.body),
    train: ($) => seq("train", field("model", $.identifier), $.recipe),

    recipe: ($) => seq("{", lines($, $.setting), "}"),
    setting: ($) => seq(field("name", $.identifier), "=", field("value", $.expression)),

    parameters: ($) => seq("(", optional(commaSep1($.parameter)), ")"),
    parameter: ($) => seq(
      field("name", $.identifier),
      optional(choice(seq("=", field("default", $.expression)), seq(":", "value"))),
    ),

    body: ($) => seq("{", lines($, $._chain), "}"),
    _chain: ($) => seq($.step, repeat(seq("->", $.step))),
    step: ($) => seq(
      optional(seq(field("label", $.label), ":")),
      choice($.call, $.skip, $.parallel, $.repeat, $.for, $.if, $.let, $.from, $.input, $.output, $.set, $.body),
    ),

    call: ($) => seq(field("name", $.identifier), optional($.arguments)),

    skip: ($) => seq(
      optional("long"), "skip", field("kind", choice("add", "concat", "mul", "gate")), optional($.arguments),
      repeat(choice($.from, $.via, $.by, $.fit)),
      optional($.body),
    ),
    via: ($) => seq("via", $._side_step),
    by: ($) => seq("by", $._side_step),
    _side_step: ($) => seq(optional(seq(field("label", $.label), ":")), choice($.call, $.body)),
    fit: ($) => seq("fit", choice("crop", "pad")),

    parallel: ($) => seq("parallel", field("kind", choice("add", "concat", "mul", "gate")), optional($.arguments), $.body),
    repeat: ($) => seq("repeat", field("count", $.expression), $.body),
    for: ($) => seq("for", field("variable", $.identifier), "in", $.expression, choice("..", "..="), $.expression, $.body),
    if: ($) => seq(
      "if", field("condition", $.expression), $.body,
      repeat(seq("else", "if", field("condition", $.expression), $.body)),
      optional(seq("else", $.body)),
    ),
    let: ($) => seq("let", field("name", $.identifier), "=", field("value", $.expression)),
    from: ($) => seq("from", $.path),
    output: ($) => seq("output", field("name", $.label)),
    input: ($) => seq("input", field("name", $.identifier), "[", commaSep1($.dimension), "]"),
    dimension: ($) => choice(seq(field("name", $.identifier), "=", $.expression), $.expression),

    // Letters, digits and `{expr}` without blanks between them; any word may be one.
    label: ($) => seq(choice($._first_text, $._first_braces), repeat($._more_label)),
    _first_text: ($) => choice(
      $.identifier, alias($._digits, $.identifier),
      ...["long", "skip", "let", "for", "if", "repeat", "parallel", "from", "output", "input", "set"].map((word) =>
        alias(word, $.identifier)),
    ),
    _digits: () => /[0-9][A-Za-z0-9_]*/,
    _first_braces: ($) => seq(alias($._label_open, "{"), $.expression, "}"),
    _more_label: ($) => choice(alias($._more_text, $.identifier), $._braces),
    _braces: ($) => seq(alias($._more_open, "{"), $.expression, "}"),
    _more_text: () => token.immediate(/[A-Za-z0-9_]+/),
    _more_open: () => token.immediate(prec(1, "{")),

    path: ($) => seq($._first_text, repeat(choice($._more_label, $._segment))),
    _segment: ($) => choice($._word_segment, seq(".", $._braces)),
    _word_segment: ($) => seq(".", alias($._more_text, $.identifier)),

    arguments: ($) => seq("(", optional(commaSep1($._argument)), ")"),
    _argument: ($) => choice($.argument, $._value),
    // A path with `{expr}` in it may be a whole argument; one without looks like any name.
    _value: ($) => choice($.expression, alias($._value_path, $.path)),
    _value_path: ($) => seq($._dotted, $._braces, repeat(choice($._more_label, $._segment))),
    _dotted: ($) => seq($.identifier, repeat($._word_segment)),
    argument: ($) => seq(
      field("name", choice($.identifier, ...["if", "not", "true", "false"].map((word) => alias(word, $.identifier)))),
      "=", field("value", $._value),
    ),

    expression: ($) => choice(
      $.number, $.string, $.boolean, $.reference, $.function, $.list, $.record, $.parenthesized, $.unary, $.binary,
      $.conditional,
    ),
    number: () => /[0-9][0-9_]*(\.[0-9][0-9_]*)?([eE][+-]?[0-9][0-9_]*)?/,
    string: () => /"(\\.|[^"\\\n])*"/,
    boolean: () => choice("true", "false"),
    reference: ($) => $._dotted,
    function: ($) => seq(field("name", $.identifier), $.arguments),
    list: ($) => seq("[", optional(commaSep1($.expression)), "]"),
    record: ($) => seq("(", commaSep1($.argument), ")"),
    parenthesized: ($) => seq("(", $.expression, ")"),
    unary: ($) => choice(
      prec(PREC.negative, seq("-", $.expression)),
      prec(PREC.not, seq("not", $.expression)),
    ),
    binary: ($) => choice(
      prec.left(PREC.or, seq($.expression, "or", $.expression)),
      prec.left(PREC.and, seq($.expression, "and", $.expression)),
      prec.left(PREC.compare, seq($.expression, choice("==", "!=", "<=", ">=", "<", ">"), $.expression)),
      prec.left(PREC.sum, seq($.expression, choice("+", "-"), $.expression)),
      prec.left(PREC.product, seq($.expression, choice("*", "/", "%"), $.expression)),
    ),
    conditional: ($) => seq(
      "if", $.expression, "{", $.expression, "}",
      repeat(seq("else", "if", $.expression, "{", $.expression, "}")),
      "else", "{", $.expression, "}",
    ),

    identifier: () => /[A-Za-z_][A-Za-z0-9_]*/,
    doc_comment: () => token(prec(1, /\/\/\/[^\n]*/)),
    comment: () => token(/\/\/[^\n]*/),
  },
});

// Rules on lines of their own.
function lines($, rule) {
  return optional(seq(rule, repeat(seq($._end, rule)), optional($._end)));
}
