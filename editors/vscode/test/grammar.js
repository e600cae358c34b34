// Reads every example with the TextMate grammar and checks what some words come out as.
const fs = require("fs");
const path = require("path");
const textmate = require("vscode-textmate");
const oniguruma = require("vscode-oniguruma");

const root = path.resolve(__dirname, "../../..");
const grammarFile = path.resolve(__dirname, "../syntaxes/arch.tmLanguage.json");

// A line, a word of it, and the scope it must have.
const CASES = [
  ["block Basic(width, skip: value) {", "Basic", "entity.name.type.block.arch"],
  ["block Basic(width, skip: value) {", "skip", "variable.parameter.arch"],
  ["model Net(classes=10) {", "classes", "variable.parameter.arch"],
  ["    conv1: conv(64, 3, stride=2)", "conv1", "entity.name.label.arch"],
  ["    a: linear(64, bias=false)", "linear", "support.function.layer.arch"],
  ["    conv1: conv(64, 3, stride=2)", "stride", "variable.parameter.arch"],
  ["    conv1: conv(64, 3, stride=2)", "64", "constant.numeric.arch"],
  ["    stage{i}: Basic(it.channels)", "stage", "entity.name.label.arch"],
  ["    stage{i}: Basic(it.channels)", "channels", "support.variable.property.arch"],
  ["    long skip concat from enc.conv fit crop", "concat", "support.constant.merge.arch"],
  ["    long skip concat from enc.conv fit crop", "enc.conv", "entity.name.label.arch"],
  ["    long skip concat from enc.conv fit crop", "crop", "support.constant.fit.arch"],
  ["    for i in 1..=n { relu }", "..=", "keyword.operator.range.arch"],
  ["    maxpool(2) -> relu // end", "->", "keyword.operator.arrow.arch"],
  ["    maxpool(2) -> relu // end", "// end", "comment.line.double-slash.arch"],
  ["import Basic from \"lib.arch\"", "\"lib.arch\"", "string.quoted.double.arch"],
  ["    optimizer = sgd(lr=1e-3)", "sgd", "support.function.recipe.arch"],
  ["    optimizer = sgd(lr=1e-3)", "1e-3", "constant.numeric.arch"],
];

async function main() {
  const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(fs.readFileSync(grammarFile, "utf8"), grammarFile),
  });
  const grammar = await registry.loadGrammar("source.arch");
  let failed = 0;
  for (const [line, word, scope] of CASES) {
    const { tokens } = grammar.tokenizeLine(line, textmate.INITIAL);
    const at = line.indexOf(word);
    const covering = tokens.filter((token) => token.startIndex < at + word.length && token.endIndex > at);
    if (!covering.length || !covering.every((token) => token.scopes.includes(scope))) {
      failed += 1;
      console.error(`${line}\n  \`${word}\` is ${covering.map((token) => token.scopes.join(" ")).join(", ")}, not ${scope}`);
    }
  }
  let words = 0, bare = 0;
  for (const name of fs.readdirSync(path.join(root, "examples")).filter((name) => name.endsWith(".arch"))) {
    let stack = textmate.INITIAL;
    for (const line of fs.readFileSync(path.join(root, "examples", name), "utf8").split("\n")) {
      const result = grammar.tokenizeLine(line, stack);
      stack = result.ruleStack;
      for (const token of result.tokens) {
        if (!line.slice(token.startIndex, token.endIndex).trim()) continue;
        words += 1;
        bare += token.scopes.length === 1;
        if (token.scopes.some((scope) => scope.startsWith("invalid"))) {
          failed += 1;
          console.error(`${name}: ${line}`);
        }
      }
    }
  }
  console.log(`${CASES.length} cases, ${words} words of the examples (${bare} names without a colour), ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

main();
