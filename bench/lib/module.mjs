/** Has the `glue` of a module call the `module`, compiled. */
export async function connect(glue, module) {
  const { exports } = await WebAssembly.instantiate(module, { "./segue_wasm_bg.js": glue });
  glue.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
}
