import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { given, oneOf, portNumber, wholeNumber } from "./flags.ts";

test("what is written is taken, and an empty text is none", () => {
  equal(oneOf("mode", "node", ["controller", "node"]), "node");
  equal(wholeNumber("workers", "8", 1, 100), 8);
  equal(portNumber("port", "0"), 0);
  equal(given(""), undefined);
  equal(given("x"), "x");
});

test("a mistake names the flag and what it may be", () => {
  throws(() => oneOf("mode", "nodes", ["controller", "node"]), /^Error: --mode=nodes: it must be one of controller, node$/u);
  // Number() takes all of these for a number.
  for (const value of ["", " ", "1e3", "0x10", "1.0", "101", "0", "eight"])
    throws(() => wholeNumber("workers", value, 1, 100), /--workers=.*: it must be a whole number from 1 to 100/u, value);
  throws(() => portNumber("http-port", "65536"), /from 0 to 65535/u);
});
