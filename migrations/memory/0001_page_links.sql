ALTER TABLE `pages` ADD `pinned` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `pages` ADD `superseded_by` integer;--> statement-breakpoint
ALTER TABLE `pages` ADD `provenance` text DEFAULT '[]' NOT NULL;