import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { openDrafts } from "./drafts";

beforeEach(() => localStorage.clear());

function open(userId = "user:1") {
  const drafts = openDrafts(userId);
  onTestFinished(() => drafts.texts.close());
  return drafts;
}

test("a draft is there again after a reload, in its room, for its writer", () => {
  open().set("room:0", "half a thought");
  expect(open().texts.get()).toEqual({ "room:0": "half a thought" });
  expect(open("user:2").texts.get()).toEqual({});
});

test("nothing remains of a draft that is cleared", () => {
  const drafts = open();
  drafts.set("room:0", "a");
  drafts.set("room:1:2", "b");
  drafts.set("room:0", "");
  expect(open().texts.get()).toEqual({ "room:1:2": "b" });
});

test("a draft that is sent is saved until the message is kept", async () => {
  const drafts = open();
  drafts.set("room:0", "on its way");
  let keep = () => {};
  const isKept = new Promise<void>((resolve) => {
    keep = resolve;
  });
  const cleared = drafts.clear("room:0", isKept);
  expect(drafts.texts.get()).toEqual({});
  expect(open().texts.get()).toEqual({ "room:0": "on its way" });
  keep();
  await cleared;
  expect(open().texts.get()).toEqual({});
});

test("other tabs follow", () => {
  const { texts } = open();
  const key = "parley:drafts:user:1";
  window.dispatchEvent(new StorageEvent("storage", { key, newValue: '{"room:0":"from there"}' }));
  expect(texts.get()).toEqual({ "room:0": "from there" });
  window.dispatchEvent(new StorageEvent("storage", { key: "else", newValue: "{}" }));
  expect(texts.get()).toEqual({ "room:0": "from there" });
});

test("a full storage keeps nobody from writing", () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("Full.", "QuotaExceededError");
  });
  const drafts = open();
  drafts.set("room:0", "text");
  expect(drafts.texts.get()).toEqual({ "room:0": "text" });
  expect(warn).toHaveBeenCalled();
});

test("what cannot be read counts as nothing", () => {
  localStorage.setItem("parley:drafts:user:1", "{cut");
  expect(open().texts.get()).toEqual({});
});
