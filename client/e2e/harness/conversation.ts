import type { Said } from "./seed";

/** What everybody's clock says on the pictures, a little after the last message. */
export const now = new Date("2026-11-24T10:46:00Z");

const people = { Pablo: "1", Joe: "2", Mary: "3", Alex: "4" };
type Name = keyof typeof people;

/** A team that gets a release ready. */
export const conversation: Said[] = [
  ...said("0", "2026-11-23", [
    ["15:52", "Mary", "The new onboarding is in review. Could somebody try it on a small screen?"],
    ["15:58", "Alex", "On it."],
    ["16:24", "Alex", "Works well on my phone. The last step needs one line less of text."],
    ["16:27", "Mary", "Thanks, shortened it."],
  ]),
  ...said("0", "2026-11-24", [
    ["10:08", "Joe", "Good morning! Are we still on for the release today?"],
    ["10:09", "Pablo", "Yes. The last tests ran through last night, all green."],
    ["10:10", "Mary", "Then I will finish the notes:"],
    ["10:12", "Mary", "- faster search\n- dark mode\n- drafts that survive a reload"],
    ["10:15", "Alex", "Nice. The checklist is at https://example.com/release if you want to sign."],
    ["10:31", "Joe", "Signed. I take the first hour of support."],
    ["10:32", "Joe", "Lunch at the harbour afterwards?"],
    ["10:33", "Pablo", "With pleasure. I will book a table for four at half past twelve."],
    ["10:41", "Mary", "Count me in!"],
  ]),
  ...said("1:2", "2026-11-24", [
    ["09:02", "Joe", "Do you have a minute for the plan of next week?"],
    ["09:20", "Pablo", "After the release, gladly."],
  ]),
  ...said("1:3", "2026-11-23", [
    ["17:05", "Mary", "Could you proofread the notes tomorrow, before they go out?"],
    ["17:09", "Pablo", "Of course. Send them over in the morning."],
  ]),
  ...said("1:3", "2026-11-24", [
    ["10:20", "Pablo", "Drafts that survive a reload: how did that idea come up?"],
    ["10:21", "Mary", "I lost one message too many on the train."],
    ["10:22", "Mary", "Now what I have typed simply waits until I am back."],
    ["10:24", "Pablo", "That belongs into the notes, word for word."],
    ["10:38", "Mary", "Deal. They are at https://example.com/notes"],
    ["10:44", "Mary", "Have a look when you find the time?"],
  ]),
  ...said("1:4", "2026-11-23", [["17:40", "Alex", "See you tomorrow."]]),
];

function said(roomId: string, day: string, lines: [time: string, name: Name, text: string][]) {
  return lines.map(([time, name, message]) => ({
    from: people[name],
    date: Date.parse(`${day}T${time}:00Z`) / 1000,
    message,
    roomId,
  }));
}
