/**
 * The shapes of a result as the service sends it (extractor/schema.py is their source), and those of the page itself.
 * Offsets count UTF-16 code units here: those are what a browser's strings are made of.
 *
 * @typedef {{start: number, end: number, text: string, section: string}} Evidence
 * @typedef {"left" | "right" | "bilateral" | "unspecified"} Side
 * @typedef {{code: string, side: Side, joints: string[], label: string, descriptor?: string, rule: string,
 *   reasons: string[], evidence: Evidence[]}} CodeLine
 * @typedef {{code: string, modifiers: string[], units: number,
 *   suggested?: {modifier: string, reason: string}[]}} ClaimLine
 * @typedef {{id: string, question: string, evidence: Evidence[]}} Query
 * @typedef {{site: string, side: Side, evidence: Evidence[]}} Site
 * @typedef {{family: string, technique: string, joints: Site[], nerves: Site[], side: Side,
 *   discontinued: boolean, evidence: Evidence[]}} Procedure
 * @typedef {{label: string, start: number, end: number, text: string, value: string, section: string,
 *   assertion: string, attributes: Record<string, string>}} Entity
 * @typedef {{engine: string, patterns: string, codes: string, profile: string}} ResultVersions
 * @typedef {{id: string, status: "coded" | "review" | "no_code", lines: CodeLine[], claim: ClaimLine[],
 *   summary: {imaging: string[], injectate: string[], target: string[]}, queries: Query[], warnings: string[],
 *   rejected: {code: string, reason: string}[], procedures: Procedure[], entities: Entity[],
 *   versions: ResultVersions}} Result
 *
 * @typedef {{engine: string, patterns: string, codes: string, profiles: string[],
 *   limits: {max_chars: number, batch: number}, store: boolean}} Service  what GET /v1/versions says
 *
 * An owner is who a stretch of the note belongs to: "e5" entity 5, "l0" line 0, "q1" query 1, "p0n2" nerve 2 of
 * procedure 0, "p0j1" its joint 1.
 * @typedef {{start: number, end: number, owner: string}} Span
 * @typedef {{start: number, end: number, owners: string[]}} Segment
 *
 * @typedef {"accepted" | "edited" | "rejected" | "added"} Verdict
 * @typedef {{decision: Verdict, code: string, side: Side, joints: string[], reason: string}} Choice
 *
 * `unsettled`: the physician must answer first; `done`: the reviewer has finished; `kept`: the service has it, or it
 * was downloaded.
 * @typedef {{choices: (Choice | null)[], added: Choice[], unsettled: boolean, done: boolean, kept: boolean}} Review
 *
 * One note under review. `text` is null where only the result is known (a result file without its notes). `wrong`:
 * how many quotes are not the words at their place in the text that was offered; `unproved`: nothing shows that the
 * result is of this text, as it quotes no word.
 * @typedef {{id: string, text: string | null, profile: string, date: string, result: Result, review: Review,
 *   wrong?: number, unproved?: boolean}} Case
 */

export {};
