/**
 * Scrub: takes every stored word out of a run that had to do with a forgotten page.
 *
 * What is left says that the run was, which system calls it made, and that its content was forgotten. Event ids stay, so that
 * a reader can still resume.
 */
import type { RunId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { wake } from "#kernel/proc/events.ts";
import { FORGOTTEN } from "#kernel/vm/forget/repeats.ts";

/** `keepAnswer` leaves the text of the answer: for the run that forgets, whose answer only says so. */
export function scrubRun(kernel: Kernel, run: RunId, keepAnswer: boolean): void {
  kernel.sql.exec(
    `UPDATE runs SET instruction = json_object('kind', 'language', 'text', ?1), output = CASE WHEN ?2 OR output = '' THEN output ELSE ?1 END,
     citations = '[]', conversation = NULL, error = NULL WHERE id = ?3`,
    FORGOTTEN,
    keepAnswer ? 1 : 0,
    run,
  );
  kernel.sql.exec("UPDATE messages SET content = ? WHERE run = ?", FORGOTTEN, run);
  kernel.sql.exec(
    `UPDATE messages SET tool_calls = (
       SELECT json_group_array(json_object('id', value ->> 'id', 'name', value ->> 'name', 'arguments', json('{}'))) FROM json_each(messages.tool_calls)
     ) WHERE run = ? AND tool_calls IS NOT NULL`,
    run,
  );
  scrubSteps(kernel, run);
  scrubEvents(kernel, run, keepAnswer);
  wake(kernel, run);
}

function scrubSteps(kernel: Kernel, run: RunId): void {
  kernel.sql.exec("DELETE FROM steps WHERE run = ? AND name LIKE 'infer %'", run);
  kernel.sql.exec(
    `UPDATE steps SET arguments = json_set(arguments, '$.arguments', NULL), result = json_set(result, '$.result', NULL) WHERE run = ?`,
    run,
  );
}

function scrubEvents(kernel: Kernel, run: RunId, keepAnswer: boolean): void {
  kernel.sql.exec(
    `UPDATE events SET part = CASE
       WHEN part ->> '$.type' = 'text-delta' AND NOT ?2 THEN json_set(part, '$.delta', ?1)
       WHEN part ->> '$.type' = 'data-syscall' THEN json_set(part, '$.data.arguments', NULL, '$.data.result', NULL)
       WHEN part ->> '$.type' = 'data-citation' THEN json_set(part, '$.data', json_object('forgotten', json('true')))
       WHEN part ->> '$.type' = 'error' THEN json_set(part, '$.errorText', ?1)
       ELSE part END
     WHERE run = ?3`,
    FORGOTTEN,
    keepAnswer ? 1 : 0,
    run,
  );
}
