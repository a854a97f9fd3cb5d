export { Device } from "./device.js";
export { follow } from "./follow.js";
