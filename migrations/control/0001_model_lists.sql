CREATE TABLE `model_lists` (
	`provider` text PRIMARY KEY NOT NULL,
	`cards` text NOT NULL,
	`listed_at` integer NOT NULL,
	`claimed_at` integer DEFAULT 0 NOT NULL
);
