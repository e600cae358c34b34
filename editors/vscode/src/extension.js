// Starts `archc lsp` and connects it.
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

async function start() {
  const settings = vscode.workspace.getConfiguration("archc");
  const command = settings.get("path") || "archc";
  const importRoot = settings.get("importRoot") || undefined;
  client = new LanguageClient(
    "archc",
    "archc",
    { command, args: ["lsp"], transport: TransportKind.stdio },
    {
      documentSelector: [{ language: "arch" }],
      initializationOptions: { importRoot },
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.arch") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    const choice = await vscode.window.showErrorMessage(
      `archc cannot be started as \`${command} lsp\`: ${error.message}`, "Open settings");
    if (choice) await vscode.commands.executeCommand("workbench.action.openSettings", "archc.path");
  }
}

async function stop() {
  const old = client;
  client = undefined;
  if (old && old.needsStop()) await old.stop();
}

async function restart() {
  await stop();
  await start();
}

exports.activate = async (context) => {
  context.subscriptions.push(vscode.commands.registerCommand("archc.restart", restart));
  context.subscriptions.push(vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration("archc.path") || event.affectsConfiguration("archc.importRoot")) restart();
  }));
  await start();
};

exports.deactivate = stop;
